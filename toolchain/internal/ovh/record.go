package ovh

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ovh/go-ovh/ovh"
)

// record of a DNS zone as the API has it. An empty subdomain, type, zone or id is left out of what is sent.
type record struct {
	ID        int64  `json:"id,omitempty"`
	Zone      string `json:"zone,omitempty"`
	Target    string `json:"target"`
	TTL       int64  `json:"ttl"`
	FieldType string `json:"fieldType,omitempty"`
	SubDomain string `json:"subDomain,omitempty"`
}

// How long a record that was just made may be unknown, and the pauses between two looks.
var (
	patience   = time.Minute
	firstPause = 500 * time.Millisecond
	lastPause  = 10 * time.Second
)

var errUnknown = errors.New("OVH does not know the record that it has made")

func recordsOf(zone string) string { return fmt.Sprintf("/domain/zone/%s/record", zone) }

func recordAt(zone, id string) string { return recordsOf(zone) + "/" + id }

// post makes a record and returns its id.
func (a *account) post(ctx context.Context, zone string, wanted record) (string, error) {
	var made record
	if err := a.client.PostWithContext(ctx, recordsOf(zone), wanted, &made); err != nil {
		return "", fmt.Errorf("failed to create OVH Record: %w", err)
	}
	if made.ID != 0 {
		return strconv.FormatInt(made.ID, 10), nil
	}
	id, err := a.lookUp(ctx, zone, wanted)
	if err != nil {
		return "", fmt.Errorf("OVH made a record without telling its id, zone %s may have an orphan: %w", zone, err)
	}
	return id, nil
}

// lookUp finds a record that the API made without telling its id, the oldest of equal ones.
func (a *account) lookUp(ctx context.Context, zone string, wanted record) (string, error) {
	var ids []int64
	// The official plugin's GET has a body, too, which the API ignores.
	if err := a.client.CallAPIWithContext(ctx, http.MethodGet, recordsOf(zone), wanted, &ids, true); err != nil {
		return "", fmt.Errorf("calling %s: %w", recordsOf(zone), err)
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	found := ""
	for _, id := range ids {
		each, err := a.await(ctx, zone, strconv.FormatInt(id, 10))
		if errors.Is(err, errUnknown) {
			continue
		}
		if err != nil {
			return "", err
		}
		if each.Target == wanted.Target && each.SubDomain == wanted.SubDomain && each.FieldType == wanted.FieldType {
			found = strconv.FormatInt(id, 10)
		}
	}
	if found == "" {
		return "", fmt.Errorf("none of the zone's %d records is it", len(ids))
	}
	return found, nil
}

// get reads a record; nil: there is none.
func (a *account) get(ctx context.Context, zone, id string) (*record, error) {
	found := &record{}
	err := a.client.GetWithContext(ctx, recordAt(zone, id), found)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("calling %s: %w", recordAt(zone, id), err)
	}
	return found, nil
}

// await reads a record that was just made and that the API may not know yet.
func (a *account) await(ctx context.Context, zone, id string) (*record, error) {
	until := time.Now().Add(patience)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		found, err := a.get(ctx, zone, id)
		if found != nil || err != nil {
			return found, err
		}
		if time.Now().Add(pause).After(until) {
			return nil, fmt.Errorf("%w: %s in zone %s", errUnknown, id, zone)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// publish makes a zone's changes visible. As in the official plugin its failure is no failure of the record, which the
// zone's next refresh brings along; but it is told.
func (a *account) publish(ctx context.Context, zone string, warn func(string)) {
	if err := a.client.PostWithContext(ctx, fmt.Sprintf("/domain/zone/%s/refresh", zone), nil, nil); err != nil {
		warn(fmt.Sprintf("zone %s is not refreshed, so the change is not visible yet: %v", zone, err))
	}
}

func isMissing(err error) bool {
	var answer *ovh.APIError
	return errors.As(err, &answer) && answer.Code == http.StatusNotFound
}
