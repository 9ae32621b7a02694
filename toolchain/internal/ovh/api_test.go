package ovh

import (
	"crypto/sha1"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

type properties = resource.PropertyMap

// api answers from a list for each route, the last one for ever, and checks every signature. Its clock is an hour ahead.
type api struct {
	*httptest.Server
	t       *testing.T
	lock    sync.Mutex
	answers map[string][]answer
	// asked are the requests after configuration: method, path and body.
	asked []string
	// agents and keys of all requests.
	agents []string
	times  int
}

type answer struct {
	status int
	body   string
}

func ok(body string) []answer { return []answer{{200, body}} }

const ahead = time.Hour

func newAPI(t *testing.T, answers map[string][]answer) *api {
	t.Helper()
	a := &api{t: t, answers: answers}
	a.Server = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.Close)
	for _, name := range []string{"ENDPOINT", "APPLICATION_KEY", "APPLICATION_SECRET", "CONSUMER_KEY", "CLIENT_ID", "CLIENT_SECRET", "ACCESS_TOKEN"} {
		t.Setenv("OVH_"+name, "")
	}
	return a
}

func (a *api) serve(writer http.ResponseWriter, request *http.Request) {
	a.lock.Lock()
	defer a.lock.Unlock()
	path := strings.TrimPrefix(request.URL.Path, "/1.0")
	a.agents = append(a.agents, request.UserAgent())
	if path == "/auth/time" {
		a.times++
		fmt.Fprint(writer, time.Now().Add(ahead).Unix())
		return
	}
	body, _ := io.ReadAll(request.Body)
	if request.Header.Get("Authorization") == "" {
		a.checkSignature(request, body)
	}
	if path != "/auth/details" {
		a.asked = append(a.asked, strings.TrimSpace(request.Method+" "+path+" "+string(body)))
	}
	list := a.answers[request.Method+" "+path]
	if len(list) == 0 {
		list = []answer{{404, `{"class":"Client::NotFound","message":"Got an invalid (or empty) URL"}`}}
	}
	if len(list) > 1 {
		a.answers[request.Method+" "+path] = list[1:]
	}
	writer.Header().Set("X-Ovh-QueryID", "EU.ext-1.2.3.4")
	writer.WriteHeader(list[0].status)
	fmt.Fprint(writer, list[0].body)
}

func (a *api) checkSignature(request *http.Request, body []byte) {
	stamp := request.Header.Get("X-Ovh-Timestamp")
	text := strings.Join([]string{"secret-as", "secret-ck", request.Method, a.URL + request.URL.Path, string(body), stamp}, "+")
	if expected := fmt.Sprintf("$1$%x", sha1.Sum([]byte(text))); request.Header.Get("X-Ovh-Signature") != expected {
		a.t.Errorf("%s %s: wrong signature", request.Method, request.URL.Path)
	}
	seconds, _ := strconv.ParseInt(stamp, 10, 64)
	if skew := time.Until(time.Unix(seconds, 0)) - ahead; skew.Abs() > time.Minute {
		a.t.Errorf("%s: signed %v off the server's clock", request.URL.Path, skew)
	}
	if key, consumer := request.Header.Get("X-Ovh-Application"), request.Header.Get("X-Ovh-Consumer"); key != "ak" || consumer != "secret-ck" {
		a.t.Errorf("keys: got %q and %q", key, consumer)
	}
}

func (a *api) config() properties {
	return properties{
		"endpoint": provider.Text(a.URL + "/1.0"), "applicationKey": provider.Text("ak"),
		"applicationSecret": provider.Secret("secret-as"), "consumerKey": provider.Secret("secret-ck"),
	}
}

// configured is an account at an API with these answers.
func configured(t *testing.T, answers map[string][]answer) (*api, *account) {
	t.Helper()
	answers["GET /auth/details"] = ok(`{}`)
	api := newAPI(t, answers)
	account := &account{}
	if err := account.configure(t.Context(), api.config()); err != nil {
		t.Fatal(err)
	}
	return api, account
}
