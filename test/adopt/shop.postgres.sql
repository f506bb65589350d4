-- A shop in schemas of its own: keys of texts, UUIDs and several columns, names that are keywords or
-- have capital letters, and a table of users beside that of Forge.
CREATE SCHEMA sales;
CREATE SCHEMA "stock room";
CREATE TYPE sales.state AS ENUM ('open', 'in progress', 'done');
CREATE TABLE sales.users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, username text NOT NULL UNIQUE, email text, password text NOT NULL DEFAULT '');
CREATE TABLE sessions (token text PRIMARY KEY, data json NOT NULL);
CREATE TABLE sales.country (code char(2) PRIMARY KEY, name text NOT NULL);
CREATE TABLE sales."Order" (
  "OrderID" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id bigint NOT NULL REFERENCES sales.users ON DELETE CASCADE,
  "user" text,
  "billingCountry" char(2) REFERENCES sales.country,
  "shippingCountry" char(2) REFERENCES sales.country,
  state sales.state NOT NULL DEFAULT 'open',
  "Unit Price" numeric NOT NULL DEFAULT 0,
  "type" text, "select" integer, "value" text, "and" boolean, "__typename" text, "from" timestamptz, "package" text, "func" text, "id" integer,
  placed_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc')
);
CREATE INDEX "order by user" ON sales."Order" (user_id, placed_at DESC);
CREATE TABLE "stock room"."Product" (sku varchar(20) PRIMARY KEY, "Name" text NOT NULL, tags text[] NOT NULL DEFAULT '{}', sizes integer[], weight real, CHECK (weight > 0), CHECK ("Name" ~ '^[A-Z]'));
CREATE UNIQUE INDEX product_name ON "stock room"."Product" (lower("Name"));
CREATE TABLE sales.order_line (order_id uuid REFERENCES sales."Order", line_no integer, sku varchar(20) NOT NULL REFERENCES "stock room"."Product", quantity integer NOT NULL, PRIMARY KEY (order_id, line_no));
CREATE TABLE sales.wishes (user_id bigint REFERENCES sales.users ON DELETE CASCADE, sku varchar(20) REFERENCES "stock room"."Product" ON DELETE CASCADE, PRIMARY KEY (user_id, sku));
CREATE TABLE sales.follows (follower_id bigint REFERENCES sales.users, followee_id bigint REFERENCES sales.users, PRIMARY KEY (follower_id, followee_id));
CREATE TABLE sales."類" (id integer PRIMARY KEY);
CREATE TABLE sales.client (id integer PRIMARY KEY, name text);
CREATE TABLE sales.audit (id uuid PRIMARY KEY, what xml NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE "stock room".country (id integer PRIMARY KEY);

INSERT INTO sales.users (username, email) VALUES ('ann', 'ann@example.org'), ('bob', NULL);
INSERT INTO sessions VALUES ('t1', '{"a": 1}');
INSERT INTO sales.country VALUES ('NO', 'Norway'), ('CL', 'Chile');
INSERT INTO sales."Order" ("OrderID", user_id, "billingCountry", state, "Unit Price", "value") VALUES
  ('01890a5d-ac96-774b-bcce-b302099a8057', 1, 'NO', 'in progress', 12.50, 'x'), ('01890a5d-ac96-774b-bcce-b302099a8058', 1, 'CL', 'open', 3, NULL);
INSERT INTO "stock room"."Product" VALUES ('A-1', 'Anvil', '{heavy,iron}', '{1,2}', 20.5), ('B 2', 'Bellows', '{}', NULL, NULL);
INSERT INTO sales.wishes VALUES (1, 'A-1'), (1, 'B 2'), (2, 'A-1');
INSERT INTO sales.follows VALUES (2, 1);
INSERT INTO sales.client VALUES (1, 'C');
