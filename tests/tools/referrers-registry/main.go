// Command referrers-registry serves go-containerregistry's registry with its referrers API, which
// the ready-made commands leave off. Blobs lie on disk, manifests in memory.
package main

import (
	"crypto/subtle"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "where to listen; port 0 is any free one")
	blobs := flag.String("blobs", "", "the folder of the blobs")
	basic := flag.String("basic", "", "USER:PASSWORD that everyone has to give")
	flag.Parse()
	if *blobs == "" {
		log.Fatal("-blobs is missing")
	}
	if err := os.MkdirAll(*blobs, 0o755); err != nil {
		log.Fatal(err)
	}
	handler := registry.New(
		registry.WithReferrersSupport(true),
		registry.WithBlobHandler(registry.NewDiskBlobHandler(*blobs)),
	)
	if *basic != "" {
		user, password, _ := strings.Cut(*basic, ":")
		handler = behind(user, password, handler)
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", listener.Addr())
	log.Fatal(http.Serve(listener, handler))
}

func behind(user, password string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		givenUser, givenPassword, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(givenUser+":"+givenPassword), []byte(user+":"+password)) == 1 {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
	})
}
