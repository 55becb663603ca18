package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nyaruka/phonenumbers"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"
)

var sources = []string{"viber", "viberbot", "telegrambot", "whatsapp", "widget", "rozetka", "facebook", "instagram"}

func parseSource(text string) (int, bool) {
	number, err := strconv.Atoi(text)
	if err != nil {
		number = slices.Index(sources, strings.ToLower(text))
	}
	return number, number >= 0 && number < len(sources)
}

var (
	requests = promauto.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total"}, []string{"status"})
	seconds  = promauto.NewHistogram(prometheus.HistogramOpts{Name: "http_request_duration_seconds"})
)

// clicks answers GET /open-chat.
type clicks struct {
	config    config
	directory *directory
	tokens    *tokens
	clients   *limiters
	operators *limiters
	logger    *slog.Logger
}

func newClicks(c config, d *directory, t *tokens, logger *slog.Logger) *clicks {
	return &clicks{c, d, t, newLimiters(c.clientLimit), newLimiters(c.operatorLimit), logger}
}

// refusal is why a click is not let through.
type refusal struct {
	status int
	kind   string
}

func (r refusal) Error() string { return r.kind }

// click is what is known of one.
type click struct {
	client   string
	operator int
	phone    string
}

func (c *clicks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	id := requestID()
	header := w.Header()
	header.Set("X-Request-Id", id)
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Robots-Tag", "noindex")
	var seen click
	location, err := c.open(r, &seen)
	status, outcome := http.StatusFound, "redirect"
	if err == nil {
		header.Set("Location", location)
		w.WriteHeader(status)
	} else {
		refused := refusal{http.StatusBadGateway, "chathub-unavailable"}
		errors.As(err, &refused)
		status, outcome = refused.status, refused.kind
		header.Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"title": outcome, "status": status, "request_id": id})
	}
	took := time.Since(began)
	requests.WithLabelValues(strconv.Itoa(status)).Inc()
	seconds.Observe(took.Seconds())
	c.logger.LogAttrs(r.Context(), slog.LevelInfo, "click",
		slog.String("request_id", id), slog.Int("status", status), slog.String("outcome", outcome),
		slog.Int64("duration_us", took.Microseconds()), slog.String("client", seen.client),
		slog.Int("operator", seen.operator), slog.String("phone", masked(seen.phone)))
}

func (c *clicks) open(r *http.Request, seen *click) (string, error) {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "", err
	}
	seen.client = address.Addr().Unmap().String()
	if !c.isAllowed(r, address.Addr().Unmap()) {
		return "", refusal{http.StatusForbidden, "not-allowed"}
	}
	query := r.URL.Query()
	if query.Get("operator") == "" {
		return "", refusal{http.StatusBadRequest, "operator-missing"}
	}
	operator, ok := c.directory.find(query.Get("operator"))
	if !ok {
		return "", refusal{http.StatusNotFound, "operator-unknown"}
	}
	if operator.Status != 0 {
		return "", refusal{http.StatusForbidden, "operator-inactive"}
	}
	seen.operator = operator.ID
	link, err := c.link(query, seen)
	if err != nil {
		return "", err
	}
	if !c.clients.allow(seen.client) || !c.operators.allow(strconv.Itoa(operator.ID)) {
		return "", refusal{http.StatusTooManyRequests, "rate-limited"}
	}
	token, err := c.tokens.get(r.Context(), operator.ID)
	if err != nil {
		return "", err
	}
	return link + "&token=" + url.QueryEscape(token), nil
}

func (c *clicks) isAllowed(r *http.Request, client netip.Addr) bool {
	contains := func(network netip.Prefix) bool { return network.Contains(client) }
	if len(c.config.networks) > 0 && !slices.ContainsFunc(c.config.networks, contains) {
		return false
	}
	if c.config.apiKey == "" {
		return true
	}
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return subtle.ConstantTimeCompare([]byte(key), []byte(c.config.apiKey)) == 1
}

// link is the deep link, but for the token.
func (c *clicks) link(query url.Values, seen *click) (string, error) {
	source, hasSource := 0, query.Get("source") != ""
	if hasSource {
		var ok bool
		if source, ok = parseSource(query.Get("source")); !ok {
			return "", refusal{http.StatusBadRequest, "source-invalid"}
		}
	}
	if query.Get("phone") == "" {
		return "", refusal{http.StatusBadRequest, "target-missing"}
	}
	number, err := phonenumbers.Parse(query.Get("phone"), c.config.region)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", refusal{http.StatusBadRequest, "phone-invalid"}
	}
	seen.phone = phonenumbers.Format(number, phonenumbers.E164)
	sender := query.Get("from")
	if sender == "" && hasSource {
		sender = c.config.senders[source]
	}
	phone := "phone=" + url.QueryEscape(seen.phone)
	switch {
	case sender == "":
		return c.config.panelURL + "?" + phone, nil
	case hasSource:
		return c.config.panelURL + "?source=" + strconv.Itoa(source) + "&from=" + url.QueryEscape(sender) + "&" + phone, nil
	default:
		return c.config.panelURL + "?from=" + url.QueryEscape(sender) + "&" + phone, nil
	}
}

func requestID() string {
	var id [16]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

func masked(phone string) string {
	if len(phone) < 10 {
		return ""
	}
	return phone[:6] + "***" + phone[len(phone)-4:]
}

// limiters has a limiter for each key; a full table begins anew.
type limiters struct {
	limit limit
	mu    sync.Mutex
	kept  map[string]*rate.Limiter
}

const maxLimiters = 100_000

func newLimiters(l limit) *limiters {
	return &limiters{limit: l, kept: map[string]*rate.Limiter{}}
}

func (l *limiters) allow(key string) bool {
	l.mu.Lock()
	limiter, ok := l.kept[key]
	if !ok {
		if len(l.kept) >= maxLimiters {
			clear(l.kept)
		}
		limiter = rate.NewLimiter(l.limit.rate, l.limit.burst)
		l.kept[key] = limiter
	}
	l.mu.Unlock()
	return limiter.Allow()
}
