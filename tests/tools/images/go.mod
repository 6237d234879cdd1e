module modelyard.dev/tests/tools/images

go 1.24
