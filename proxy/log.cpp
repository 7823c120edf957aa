#include "proxy/log.hpp"
