# `make demo` and `make test` need Python 3.11 or later and a package index, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= out
# Processes for tests; a file's tests share fixtures that are costly to make.
JOBS ?= 2
# Interpreters in which `make release-check` installs the wheel.
PYTHONS ?= $(PYTHON)
RELEASE := $(OUT)/release
PARALLEL := --numprocesses=$(JOBS) --dist=loadfile

# The command that prints where a sample picture is.
sample = $(BIN)/python -c "from stylezoo import images; print(images.sample_path('$(1)'))"

EXPORTS := exports/conditional exports/gravel exports/light

.PHONY: help demo test test-all test-gpu lint types docs bench bench-peers exports $(EXPORTS) web test-web \
    verify-gpu verify-serving lock audit release-check clean

help:
	@echo "make demo      stylise a sample photograph: $(OUT)/demo.jpg, $(OUT)/demo_transfer.jpg"
	@echo "make test      lint, types and the default tests"
	@echo "make test-all  the slow tests too"
	@echo "make test-gpu  the tests that matter on a GPU; they are skipped where there is none"
	@echo "make docs      the documentation: $(OUT)/docs/index.html"
	@echo "make bench     measure speed and memory: $(OUT)/benchmarks/*.json"
	@echo "make bench-peers  measure other projects by turns with this one: $(OUT)/benchmarks/peers.json"
	@echo "make exports   make exports/ anew; make exports/light one of them"
	@echo "make web       the page that paints in the browser, as static files: $(OUT)/web"
	@echo "make test-web  test that page in a headless Chromium"
	@echo "make verify-gpu      run exports by LiteRT's GPU delegate, in a headless Chromium"
	@echo "make verify-serving  run exports by TensorFlow Serving, in Docker"
	@echo "make lock           write the installed versions, which the tests passed with: constraints.txt"
	@echo "make audit          known vulnerabilities of these versions"
	@echo "make release-check  build, check, install and paint: $(RELEASE)/dist, $(RELEASE)/sbom.json"

# One stamp each for what a user, a developer and the documentation need; they follow setup.py.
$(VENV)/.installed: setup.py pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[samples]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $@

demo: $(VENV)/.installed
	mkdir -p $(OUT)
	$(BIN)/stylezoo stylize "$$($(call sample,chelsea))" --style=starry_night \
	    --output=$(OUT)/demo.jpg --overwrite
	$(BIN)/stylezoo weights fetch vgg16.torchvision_lpips
	$(BIN)/stylezoo weights verify
	$(BIN)/stylezoo transfer --size=384 --content="$$($(call sample,chelsea))" \
	    --style="$$($(call sample,retina))" --output=$(OUT)/demo_transfer.jpg --overwrite
	@echo "Painted $(OUT)/demo.jpg and $(OUT)/demo_transfer.jpg"

test: $(VENV)/.installed-dev lint types
	$(BIN)/python -m pytest $(PARALLEL)

test-all: $(VENV)/.installed-dev lint types
	$(BIN)/python -m pytest $(PARALLEL) --slow

# TensorFlow sees a GPU with its CUDA libraries: $(BIN)/pip install 'tensorflow[and-cuda]'
test-gpu: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/gpu

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

# Warnings are errors, for instance a link that leads nowhere or a documented argument that does not
# exist. The variable silences an advertisement.
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir $(OUT)/docs

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.startup --output=$(OUT)/benchmarks/startup.json
	$(BIN)/python -m benchmarks.transfer --output=$(OUT)/benchmarks/transfer.json
	$(BIN)/python -m benchmarks.generators --output=$(OUT)/benchmarks/generators.json
	$(BIN)/python -m benchmarks.classifiers --output=$(OUT)/benchmarks/classifiers.json
	$(BIN)/python -m benchmarks.patches --output=$(OUT)/benchmarks/patches.json
	$(BIN)/python -m benchmarks.exports --output=$(OUT)/benchmarks/exports.json
	$(BIN)/python -m benchmarks.serving --output=$(OUT)/benchmarks/serving.json
	$(BIN)/python -m benchmarks.memory --output=$(OUT)/benchmarks/memory.json
	$(BIN)/python -m benchmarks.visualize --output=$(OUT)/benchmarks/visualize.json
	$(BIN)/python -m benchmarks.video --output=$(OUT)/benchmarks/video.json
	$(BIN)/python -m benchmarks.distribution --output=$(OUT)/benchmarks/distribution.json

# Peers come into environments of their own, since they pin what this project has newer.
bench-peers: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.peers --output=$(OUT)/benchmarks/peers.json \
	    --environments=$(OUT)/peers

# Whatever is there is made again: a version 1 of each. After a training of one, `make exports/light`.
exports: $(EXPORTS)
	$(BIN)/stylezoo serve_config --overwrite
	$(BIN)/stylezoo serve_config --server=kserve --overwrite

exports/conditional: TFLITE := 256x256:float16 512x512:float16
exports/gravel: TFLITE := 256x256:none
exports/light: TFLITE := 256x256:float16 384x384:float16 512x512:float16 720x720:float16
exports/light: ONNX := yes
$(EXPORTS): exports/%: $(VENV)/.installed-dev
	rm -rf $@
	$(BIN)/stylezoo export --model=$*
	for each in $(TFLITE); do \
	    $(BIN)/stylezoo export --model=$* --format=tflite \
	        --image_size=$${each%:*} --quantize=$${each#*:} || exit 1; \
	done
	$(if $(ONNX),$(BIN)/stylezoo export --model=$* --format=onnx)

# The page is built into the package, from which it is written with exports/ for any host.
web: $(VENV)/.installed-dev
	cd web && npm ci --ignore-scripts --no-audit --no-fund && npm run build
	$(BIN)/stylezoo web --exports=exports --output=$(OUT)/web --overwrite

test-web: $(VENV)/.installed-dev
	.ci/install_browser
	PYTHON=$(abspath $(BIN)/python) OUT=$(OUT) .ci/test_web

# 64 px, since an adapter in software takes seconds for those.
verify-gpu: $(VENV)/.installed-dev
	.ci/install_browser
	rm -rf $(OUT)/gpu
	for export in conditional:none conditional:float16 gravel:none; do \
	    $(BIN)/stylezoo export --model=$${export%:*} --format=tflite --image_size=64x64 \
	        --quantize=$${export#*:} --output=$(OUT)/gpu || exit 1; \
	done
	$(BIN)/stylezoo verify_export --gpu $(OUT)/gpu/*/*.tflite

verify-serving: $(VENV)/.installed-dev
	STYLEZOO=$(BIN)/stylezoo .ci/verify_serving

# After `make test-all`, in the environment that it made.
lock: $(VENV)/.installed-dev $(VENV)/.installed-docs
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

$(RELEASE)/.tools: pyproject.toml
	$(PYTHON) -m venv --clear $(RELEASE)/tools
	$(RELEASE)/tools/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(RELEASE)/tools/bin/python -m pip install --quiet --group release
	touch $@

# Asks a service on the network about every version; without an answer it fails.
audit: $(RELEASE)/.tools
	$(RELEASE)/tools/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

release-check: $(RELEASE)/.tools
	.ci/release_check $(RELEASE) $(PYTHONS)

clean:
	rm -rf $(VENV) $(OUT) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
