-- +goose Up
CREATE TABLE forge_keys_b89f6a3b9197 (
  purpose TEXT PRIMARY KEY,
  key BLOB NOT NULL,
  created_at INTEGER NOT NULL DEFAULT (unixepoch())
);

-- +goose Down
DROP TABLE forge_keys_b89f6a3b9197;
