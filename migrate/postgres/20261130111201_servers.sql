-- +goose Up
CREATE TABLE forge_keys_6c2a6e086d0d (
  purpose text COLLATE "C" PRIMARY KEY,
  key bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNLOGGED TABLE forge_failures_e97620c6f587 (
  key bytea PRIMARY KEY,
  failures integer NOT NULL,
  running integer NOT NULL,
  since timestamptz NOT NULL,
  until timestamptz NOT NULL,
  at timestamptz NOT NULL
);
CREATE UNLOGGED TABLE forge_documents_85a1ded1b5e9 (
  hash bytea PRIMARY KEY,
  document text COLLATE "C" NOT NULL,
  bytes integer NOT NULL,
  used_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE forge_documents_85a1ded1b5e9;
DROP TABLE forge_failures_e97620c6f587;
DROP TABLE forge_keys_6c2a6e086d0d;
