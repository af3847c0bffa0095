// Traefik asks for this module, whose real content is a paid add-on that is not published: these two
// empty types are all that its free code refers to.
module github.com/traefik/traefik/dynamic/ext

go 1.25.0
