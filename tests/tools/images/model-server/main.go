// Model-server is what the images of the tests run: it speaks the Open Inference Protocol on the
// address in LISTEN, about a model that is called MODEL_NAME. With FAIL set it says that and ends.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	if why := os.Getenv("FAIL"); why != "" {
		log.Fatal(why)
	}
	name := os.Getenv("MODEL_NAME")
	answer := func(path, format string, values ...any) {
		http.HandleFunc("GET "+path, func(to http.ResponseWriter, _ *http.Request) {
			to.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(to, format, values...)
		})
	}
	answer("/v2", `{"name": "model-server", "version": "1.0.0", "extensions": []}`)
	answer("/v2/health/ready", `{"ready": true}`)
	answer("/v2/models/"+name, `{"name": %q, "versions": ["1"], "platform": "test",
		"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}],
		"outputs": [{"name": "label", "datatype": "INT64", "shape": [-1]}]}`, name)
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}
