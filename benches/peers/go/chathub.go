package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// chatHub is a client for the calls that a click needs.
type chatHub struct {
	url, login, password string
	http                 *http.Client
	mu                   sync.Mutex
	session              string
}

func newChatHub(c config) *chatHub {
	return &chatHub{
		url:      strings.TrimSuffix(c.chatHubURL, "/"),
		login:    c.login,
		password: c.password,
		http:     &http.Client{Timeout: 2 * time.Second},
	}
}

type statusError int

func (e statusError) Error() string { return fmt.Sprintf("ChatHub answered %d", int(e)) }

// call logs in where that is needed, and once more where the session has ended.
func (c *chatHub) call(ctx context.Context, method, path string, body, answer any) error {
	session, err := c.company(ctx, "")
	if err != nil {
		return err
	}
	err = c.send(ctx, method, path, session, body, answer)
	if err == statusError(http.StatusUnauthorized) {
		if session, err = c.company(ctx, session); err != nil {
			return err
		}
		err = c.send(ctx, method, path, session, body, answer)
	}
	return err
}

// company returns a company token other than the one that was refused.
func (c *chatHub) company(ctx context.Context, refused string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != refused {
		return c.session, nil
	}
	login := map[string]string{"login": c.login, "password": c.password}
	err := c.send(ctx, http.MethodPost, "/api/company/get-token", "", login, &c.session)
	return c.session, err
}

func (c *chatHub) send(ctx context.Context, method, path, session string, body, answer any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if session != "" {
		request.Header.Set("Authorization", "Bearer "+session)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return statusError(response.StatusCode)
	}
	return json.NewDecoder(http.MaxBytesReader(nil, response.Body, 64<<20)).Decode(answer)
}

type operator struct {
	ID     int    `json:"id"`
	Name   string `json:"name"`
	Status int    `json:"status"`
}

// directory is the company's operators, by id and by name.
type directory struct {
	operators atomic.Pointer[map[string]operator]
}

func (d *directory) find(text string) (operator, bool) {
	found, ok := (*d.operators.Load())[strings.ToLower(text)]
	return found, ok
}

func (d *directory) refresh(ctx context.Context, c *chatHub) error {
	var organizations []struct {
		ID int `json:"id"`
	}
	if err := c.call(ctx, http.MethodGet, "/api/company/organization", nil, &organizations); err != nil {
		return err
	}
	all := map[string]operator{}
	for _, organization := range organizations {
		var operators []operator
		path := "/api/operator?organizationId=" + strconv.Itoa(organization.ID)
		if err := c.call(ctx, http.MethodGet, path, nil, &operators); err != nil {
			return err
		}
		for _, operator := range operators {
			all[strconv.Itoa(operator.ID)] = operator
			all[strings.ToLower(operator.Name)] = operator
		}
	}
	d.operators.Store(&all)
	return nil
}

func (d *directory) keepFresh(ctx context.Context, c *chatHub, every time.Duration, logger *slog.Logger) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := d.refresh(ctx, c); err != nil {
				logger.Warn("the directory could not be read", "error", err)
			}
		}
	}
}

// tokens are operator tokens that are handed out again for a while.
type tokens struct {
	chatHub    *chatHub
	reuse, ttl time.Duration
	mu         sync.RWMutex
	kept       map[int]token
	mints      singleflight.Group
}

type token struct {
	text  string
	until time.Time
}

func newTokens(c *chatHub, config config) *tokens {
	return &tokens{chatHub: c, reuse: config.tokenReuse, ttl: config.tokenTTL, kept: map[int]token{}}
}

// get returns the token of an operator; of several callers at once, one mints it.
func (t *tokens) get(ctx context.Context, operator int) (string, error) {
	t.mu.RLock()
	kept, ok := t.kept[operator]
	t.mu.RUnlock()
	if ok && time.Now().Before(kept.until) {
		return kept.text, nil
	}
	minted, err, _ := t.mints.Do(strconv.Itoa(operator), func() (any, error) {
		// The first caller may go; the others still wait.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		now := time.Now()
		body := map[string]any{"id": operator, "expiresAt": now.Add(t.ttl).UTC().Format("2006-01-02T15:04:05.000Z")}
		var text string
		if err := t.chatHub.call(ctx, http.MethodPost, "/api/operator/get-token", body, &text); err != nil {
			return "", err
		}
		t.mu.Lock()
		t.kept[operator] = token{text, now.Add(t.reuse)}
		t.mu.Unlock()
		return text, nil
	})
	return minted.(string), err
}
