-- A film rental: native enums, arrays, a domain, words for searches, triggers, views, partitions.
CREATE TYPE mpaa_rating AS ENUM ('G', 'PG', 'PG-13', 'R', 'NC-17');
CREATE DOMAIN year AS integer CHECK (VALUE >= 1901 AND VALUE <= 2155);
CREATE TABLE language (language_id serial PRIMARY KEY, name char(20) NOT NULL, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE actor (
  actor_id serial PRIMARY KEY,
  first_name text NOT NULL,
  last_name text NOT NULL,
  full_name text GENERATED ALWAYS AS (first_name || ' ' || last_name) STORED
);
CREATE TABLE category (category_id serial PRIMARY KEY, name text NOT NULL, parent_category_id integer REFERENCES category);
CREATE TABLE film (
  film_id serial PRIMARY KEY,
  title text NOT NULL,
  description text,
  release_year year,
  language_id smallint NOT NULL REFERENCES language,
  original_language_id smallint REFERENCES language,
  rental_duration smallint NOT NULL DEFAULT 3 CHECK (rental_duration BETWEEN 1 AND 30),
  rental_rate numeric(4,2) NOT NULL DEFAULT 4.99,
  rating mpaa_rating NOT NULL DEFAULT 'G'::mpaa_rating,
  special_features text[],
  fulltext tsvector NOT NULL,
  extra jsonb NOT NULL DEFAULT '{}',
  shot_on date,
  starts_at time,
  length interval,
  last_update timestamp NOT NULL DEFAULT now()
);
CREATE INDEX film_fulltext ON film USING gist (fulltext);
CREATE INDEX film_title ON film (title);
CREATE INDEX film_language ON film (language_id);
CREATE TRIGGER film_fulltext_trigger BEFORE INSERT OR UPDATE ON film
  FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger('fulltext', 'pg_catalog.english', 'title', 'description');
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.last_update := now(); RETURN NEW; END $$;
CREATE TRIGGER film_touched BEFORE UPDATE ON film FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TABLE film_actor (
  actor_id integer NOT NULL REFERENCES actor ON DELETE CASCADE,
  film_id integer NOT NULL REFERENCES film ON DELETE CASCADE,
  role text,
  PRIMARY KEY (actor_id, film_id)
);
CREATE TABLE film_category (
  film_id integer NOT NULL REFERENCES film ON DELETE CASCADE,
  category_id integer NOT NULL REFERENCES category ON DELETE CASCADE,
  PRIMARY KEY (film_id, category_id)
);
CREATE TABLE film_text (film_id integer PRIMARY KEY REFERENCES film, synopsis text);
CREATE TABLE store (store_id serial PRIMARY KEY, manager_id integer UNIQUE, ip inet);
CREATE TABLE staff (staff_id serial PRIMARY KEY, name text NOT NULL, store_id integer NOT NULL REFERENCES store, password_hash text, picture bytea, active boolean NOT NULL DEFAULT true);
ALTER TABLE store ADD FOREIGN KEY (manager_id) REFERENCES staff DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE payment (payment_id serial, staff_id integer NOT NULL REFERENCES staff, amount numeric(5,2) NOT NULL, payment_date timestamptz NOT NULL, PRIMARY KEY (payment_date, payment_id))
  PARTITION BY RANGE (payment_date);
CREATE TABLE payment_2022 PARTITION OF payment FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
CREATE TABLE seat (id integer PRIMARY KEY, plan integer[][] NOT NULL);
CREATE TABLE log (at timestamptz NOT NULL DEFAULT now(), line text);
CREATE TABLE booking (booking_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), room integer NOT NULL, during tsrange, EXCLUDE USING gist (during WITH &&));
CREATE VIEW film_list AS SELECT film_id, title FROM film;
CREATE MATERIALIZED VIEW film_count AS SELECT count(*) FROM film;

INSERT INTO language (name) VALUES ('English'), ('Italian');
INSERT INTO actor (first_name, last_name) VALUES ('Penelope', 'Guiness'), ('Nick', 'Wahlberg');
INSERT INTO category (name, parent_category_id) VALUES ('All', NULL), ('Drama', 1);
INSERT INTO film (title, description, release_year, language_id, original_language_id, rental_rate, rating, special_features, extra, shot_on, starts_at, last_update) VALUES
  ('Anvil Dawn', 'A smith rises', 2006, 1, NULL, 0.99, 'PG-13', '{Trailers,"Deleted Scenes"}', '{"reels": 3}', '2005-04-01', '20:15', '2020-02-03 04:05:06'),
  ('Bellows', NULL, 2007, 1, 2, 2.99, 'NC-17', NULL, '{}', NULL, NULL, '2020-02-03 04:05:07'),
  ('Casting', 'Molten', NULL, 2, NULL, 4.99, 'G', '{}', '{"reels": [1, 2]}', NULL, NULL, '2020-02-03 04:05:08');
INSERT INTO film_actor VALUES (1, 1, 'The smith'), (2, 1, NULL), (2, 2, 'Wind');
INSERT INTO film_category VALUES (1, 2), (2, 2), (3, 1);
INSERT INTO film_text VALUES (1, 'Long.');
INSERT INTO store (ip) VALUES ('10.0.0.1');
INSERT INTO staff (name, store_id, password_hash) VALUES ('Mike', 1, 'x');
UPDATE store SET manager_id = 1;
INSERT INTO payment (staff_id, amount, payment_date) VALUES (1, 4.99, '2022-05-06');
INSERT INTO booking (room) VALUES (7);
