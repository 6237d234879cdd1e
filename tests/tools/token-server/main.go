// Command token-server gives out bearer tokens after distribution's token specification: a client
// that a registry refused asks here with its login, and gets a signed JWT that lists what it may
// do. The registry trusts the certificate that this program writes when it starts.
//
// https://distribution.github.io/distribution/spec/auth/token/
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/distribution/distribution/v3/registry/auth/token"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/crypto/bcrypt"
)

type server struct {
	signer        jose.Signer
	service       string
	issuer        string
	login         string
	anonymousPull bool
	lifetime      time.Duration
	deadOnArrival int64
	given         atomic.Int64
}

func main() {
	address := flag.String("address", "127.0.0.1:0", "where to listen; port 0 is any free one")
	certificate := flag.String("certificate", "", "where to write the certificate that the registry is to trust")
	htpasswd := flag.String("htpasswd", "", "print a bcrypt htpasswd line for this USER:PASSWORD, and end")
	s := &server{}
	flag.StringVar(&s.service, "service", "", "the registry's name for itself")
	flag.StringVar(&s.issuer, "issuer", "", "this server's name in its tokens")
	flag.StringVar(&s.login, "login", "", "USER:PASSWORD that may do all")
	flag.BoolVar(&s.anonymousPull, "anonymous-pull", false, "without a login, pull is allowed")
	flag.DurationVar(&s.lifetime, "lifetime", 5*time.Minute, "how long the registry takes a token")
	flag.Int64Var(&s.deadOnArrival, "dead-on-arrival", 0, "how many of the first tokens have run out when given")
	flag.Parse()
	if err := run(s, *address, *certificate, *htpasswd); err != nil {
		log.Fatal(err)
	}
}

func run(s *server, address, certificate, htpasswd string) error {
	if htpasswd != "" {
		user, password, _ := strings.Cut(htpasswd, ":")
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		fmt.Printf("%s:%s\n", user, hash)
		return err
	}
	if s.service == "" || s.issuer == "" || !strings.Contains(s.login, ":") || certificate == "" {
		return errors.New("-service, -issuer, -login USER:PASSWORD and -certificate are needed")
	}
	signer, err := newSigner(certificate)
	if err != nil {
		return err
	}
	s.signer = signer
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	http.Handle("GET /token", s)
	fmt.Println("listening on", listener.Addr())
	return http.Serve(listener, nil)
}

// newSigner makes a key and a certificate of its own for it, which it writes to path.
func newSigner(path string) (jose.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "token-server"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		return nil, err
	}
	options := (&jose.SignerOptions{}).WithType("JWT").
		WithHeader("kid", token.GetJWKThumbprint(&key.PublicKey))
	return jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, named := r.BasicAuth()
	if named && user+":"+password != s.login || !named && !s.anonymousPull {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		reply(w, http.StatusUnauthorized, map[string]any{
			"errors": []map[string]string{{"code": "UNAUTHORIZED", "message": "incorrect login"}},
		})
		return
	}
	if service := r.FormValue("service"); service != s.service {
		reply(w, http.StatusBadRequest, map[string]any{
			"errors": []map[string]string{{"code": "UNSUPPORTED", "message": "unknown service"}},
		})
		return
	}
	s.give(w, user, access(r.Form["scope"], named))
}

// give answers with a token that the registry takes until its lifetime is over.
func (s *server) give(w http.ResponseWriter, user string, granted []*token.ResourceActions) {
	number := s.given.Add(1)
	issued := time.Now()
	// The registry adds a leeway to what the token says, for clocks that differ.
	runsOut := issued.Add(s.lifetime - token.Leeway)
	if number <= s.deadOnArrival {
		runsOut = issued.Add(-token.Leeway - time.Minute)
	}
	raw, err := jwt.Signed(s.signer).Claims(token.ClaimSet{
		Issuer:     s.issuer,
		Subject:    user,
		Audience:   token.AudienceList{s.service},
		Expiration: runsOut.Unix(),
		NotBefore:  issued.Add(-time.Minute).Unix(),
		IssuedAt:   issued.Unix(),
		JWTID:      fmt.Sprint(number),
		Access:     granted,
	}).Serialize()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Println("token given")
	reply(w, http.StatusOK, map[string]any{
		"token":      raw,
		"expires_in": int(s.lifetime.Seconds()),
		"issued_at":  issued.UTC().Format(time.RFC3339),
	})
}

// access reads scopes, `repository:NAME:ACTION,ACTION` each and several in one parameter, and
// grants all of them to who has the login, pulls to who has none.
func access(scopes []string, named bool) []*token.ResourceActions {
	granted := []*token.ResourceActions{}
	for _, scope := range strings.Fields(strings.Join(scopes, " ")) {
		first, last := strings.Index(scope, ":"), strings.LastIndex(scope, ":")
		if first < 0 || first == last {
			continue
		}
		actions := []string{}
		for _, action := range strings.Split(scope[last+1:], ",") {
			if named || action == "pull" {
				actions = append(actions, action)
			}
		}
		granted = append(granted, &token.ResourceActions{
			Type: scope[:first], Name: scope[first+1 : last], Actions: actions,
		})
	}
	return granted
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
