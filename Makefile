# Two commands do everything on a fresh machine: make discover, make test.

BUILD    := build
VENV     := .venv
PYTHON   := $(VENV)/bin/python
RUN      := runs/nitrides
CAMPAIGN := datasets/campaigns/nitrides.toml

# Two clones share the compiler cache only when paths inside the tree are taken as relative.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1

.PHONY: all bootstrap build discover test bench sanitize clean

all: build

bootstrap:
	@bash cmake/bootstrap.sh

build: bootstrap
	@cmake -S . -B $(BUILD) -G Ninja -U "SKBUILD*" -DPython_EXECUTABLE=$(CURDIR)/$(PYTHON) > $(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@cmake --build $(BUILD)
	@$(PYTHON) cmake/link_package.py $(BUILD)

discover: build
	@$(BUILD)/bin/tamiz discover $(CAMPAIGN) -o $(RUN) $(if $(wildcard $(RUN)/ledger.tz),--resume)

test: build
	@bash cmake/run_tests.sh $(BUILD) $(PYTHON)

# Timings: build/bench.json of the fused engine, build/compare.json and its table beside the peers that are there (docs/benchmarks.md).
bench: build
	@$(BUILD)/bin/tamiz_bench --benchmark_filter=-smoke --benchmark_repetitions=3 \
	  --benchmark_out=$(BUILD)/bench.json --benchmark_out_format=json
	@$(PYTHON) tests/bench/compare.py --existing --repeats 3 --build $(BUILD) -o $(BUILD)/compare.json

# The C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer, without LibTorch and the Python module.
sanitize: bootstrap
	cmake -S . -B build-sanitize -G Ninja -DCMAKE_BUILD_TYPE=Debug -DTAMIZ_SANITIZE=address,undefined \
	  -DTAMIZ_WITH_TORCH=OFF -DTAMIZ_WITH_PYTHON=OFF -DPython_EXECUTABLE=$(CURDIR)/$(PYTHON)
	cmake --build build-sanitize
	ctest --test-dir build-sanitize --output-on-failure -j2

clean:
	rm -rf $(BUILD) build-sanitize $(BUILD).log
