package ovh

import (
	"net/http"
	"sync"
	"time"
)

// paced lets requests begin one after another, with a pause between them.
type paced struct {
	next  http.RoundTripper
	pause time.Duration
	lock  sync.Mutex
	due   time.Time
}

// pace limits to so many requests a second; 0 is no limit.
func pace(next http.RoundTripper, limit float64) http.RoundTripper {
	if limit <= 0 {
		return next
	}
	return &paced{next: next, pause: time.Duration(float64(time.Second) / limit)}
}

func (p *paced) RoundTrip(request *http.Request) (*http.Response, error) {
	select {
	case <-time.After(time.Until(p.turn())):
		return p.next.RoundTrip(request)
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
}

// turn is when the next request may begin.
func (p *paced) turn() time.Time {
	p.lock.Lock()
	defer p.lock.Unlock()
	turn := p.due
	if now := time.Now(); turn.Before(now) {
		turn = now
	}
	p.due = turn.Add(p.pause)
	return turn
}
