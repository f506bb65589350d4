package graph

import (
	"net/http"

	"forge/docs"
	entmigrate "forge/ent/migrate"
	_ "forge/ent/runtime" // the hooks, interceptors and defaults of ent/schema
	"forge/internal/application"
	"forge/internal/demo"
	"forge/internal/gqlexec"
	"forge/mail"
	"forge/migrate"
	"forge/playground"
	"forge/seed"
)

// Application describes the application to the framework. Package cli runs it.
func Application(sdl, version string) application.Application {
	return application.Application{
		Version: version,
		Usage:   usage,
		SDL:     sdl,
		API: func(s application.Services) gqlexec.API {
			return (&Resolver{s}).API()
		},
		Migrations: migrate.Files,
		Tables:     entmigrate.Tables,
		Accounts:   Accounts{},
		Mails:      mail.Templates,
		SetRole:    setRole,
		Docs:       docs.Files,
		Demo: demo.Data{
			Scale:    seed.Demo,
			MaxScale: seed.MaxScale,
			About:    seed.About,
			Fill:     seed.Fill,
			Usable:   seed.Usable,
		},
		Playground: func(page application.Page) http.Handler {
			cfg := playground.Config{SignIn: page.SignIn, Build: page.Build, Explain: page.Explain}
			for _, a := range page.Accounts {
				cfg.Accounts = append(cfg.Accounts, playground.Account(a))
			}
			for _, l := range page.Links {
				cfg.Links = append(cfg.Links, playground.Link(l))
			}
			return playground.Handler(cfg)
		},
	}
}
