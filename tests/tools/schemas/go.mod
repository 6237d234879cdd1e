module modelyard.dev/tests/tools/schemas

go 1.26.0

// It carries the schema of SARIF 2.1.0, as OASIS publishes it.
require github.com/owenrumney/go-sarif/v3 v3.2.1
