-- +goose Up
-- SQLite has the index since the column.

-- +goose Down
-- It goes with the column.
