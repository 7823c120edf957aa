# Builds all of libpqxx's tests into one program; used in their folder.
objects := $(patsubst %.cxx,%.o,$(wildcard *.cxx) $(filter-out unit/runner.cxx,$(wildcard unit/*.cxx)))

runner: $(objects)
	$(CXX) -o $@ $^ -lpqxx -lpq -pthread

%.o: %.cxx
	$(CXX) -std=c++17 -O0 -w -I. -I$(shell pg_config --includedir) -c -o $@ $<
