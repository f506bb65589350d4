-- +goose Up
-- SQLite has checked the key with the column.

-- +goose Down
-- A constraint that is valid may stay so.
