// Package ext stands in for Traefik's unpublished extensions (see go.mod).
package ext

// HTTP is referred to by Traefik's dynamic configuration.
type HTTP struct{}

// Router is referred to by Traefik's dynamic configuration.
type Router struct{}
