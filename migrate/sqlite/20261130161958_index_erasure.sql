-- +goose Up
-- Nothing to do for this database.

-- +goose Down
-- Nothing to do for this database.
