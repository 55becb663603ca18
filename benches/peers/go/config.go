package main

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// config is read from the variables that open-chat itself reads.
type config struct {
	listen           string
	chatHubURL       string
	login, password  string
	panelURL         string
	apiKey           string
	networks         []netip.Prefix
	region           string
	senders          map[int]string
	tokenReuse       time.Duration
	tokenTTL         time.Duration
	directoryRefresh time.Duration
	clientLimit      limit
	operatorLimit    limit
}

// limit is so many events in a period, as a rate with the same burst.
type limit struct {
	rate  rate.Limit
	burst int
}

func readConfig() (config, error) {
	c := config{
		listen:     env("LISTEN", "0.0.0.0:8080"),
		chatHubURL: env("CHATHUB_URL", "https://chatapi.smsbat.com"),
		login:      os.Getenv("CHATHUB_LOGIN"),
		password:   os.Getenv("CHATHUB_PASSWORD"),
		panelURL:   env("CHAT_PANEL_URL", "https://chat.smsbat.com/"),
		apiKey:     os.Getenv("API_KEY"),
		region:     env("DEFAULT_REGION", "UA"),
		senders:    map[int]string{},
	}
	for _, network := range split(os.Getenv("ALLOWED_NETWORKS")) {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			return c, fmt.Errorf("ALLOWED_NETWORKS: %w", err)
		}
		c.networks = append(c.networks, prefix)
	}
	for _, entry := range split(os.Getenv("SENDERS")) {
		name, sender, _ := strings.Cut(entry, "=")
		source, ok := parseSource(name)
		if !ok || sender == "" {
			return c, fmt.Errorf("SENDERS: %q is not source=sender", entry)
		}
		c.senders[source] = sender
	}
	for _, duration := range []struct {
		name, fallback string
		value          *time.Duration
	}{
		{"TOKEN_REUSE", "5m", &c.tokenReuse},
		{"TOKEN_TTL", "60m", &c.tokenTTL},
		{"DIRECTORY_REFRESH", "60s", &c.directoryRefresh},
	} {
		parsed, err := time.ParseDuration(env(duration.name, duration.fallback))
		if err != nil {
			return c, fmt.Errorf("%s: %w", duration.name, err)
		}
		*duration.value = parsed
	}
	var err error
	if c.clientLimit, err = parseLimit(env("RATE_LIMIT_CLIENT", "600/m")); err != nil {
		return c, fmt.Errorf("RATE_LIMIT_CLIENT: %w", err)
	}
	if c.operatorLimit, err = parseLimit(env("RATE_LIMIT_OPERATOR", "30/m")); err != nil {
		return c, fmt.Errorf("RATE_LIMIT_OPERATOR: %w", err)
	}
	return c, nil
}

func parseLimit(text string) (limit, error) {
	count, unit, _ := strings.Cut(text, "/")
	seconds := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	number, err := strconv.Atoi(count)
	if err != nil || seconds == 0 || number < 1 {
		return limit{}, fmt.Errorf("%q is not such as 600/m", text)
	}
	return limit{rate.Limit(float64(number) / seconds), number}, nil
}

func env(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
