-- The same music store on PostgreSQL, in small letters, with names of its own for foreign keys.
CREATE TABLE artist (artist_id serial PRIMARY KEY, name varchar(120));
CREATE TABLE album (
  album_id serial PRIMARY KEY,
  title varchar(160) NOT NULL,
  artist_id integer NOT NULL REFERENCES artist
);
CREATE INDEX album_artist ON album (artist_id);
CREATE TABLE genre (genre_id serial PRIMARY KEY, name varchar(120) UNIQUE);
CREATE TABLE media_type (media_type_id serial PRIMARY KEY, name varchar(120));
CREATE TABLE track (
  track_id serial PRIMARY KEY,
  name varchar(200) NOT NULL,
  album_id integer REFERENCES album,
  media_type_id integer NOT NULL REFERENCES media_type,
  genre_id integer REFERENCES genre ON DELETE SET NULL,
  composer varchar(220),
  milliseconds integer NOT NULL CHECK (milliseconds >= 0),
  bytes bigint,
  unit_price numeric(10,2) NOT NULL CHECK (unit_price >= 0)
);
COMMENT ON TABLE track IS 'One piece of music.';
COMMENT ON COLUMN track.composer IS 'Whoever wrote it.';
CREATE INDEX track_album ON track (album_id);
CREATE INDEX track_name ON track (name);
CREATE TABLE playlist (playlist_id serial PRIMARY KEY, name varchar(120));
CREATE TABLE playlist_track (
  playlist_id integer NOT NULL REFERENCES playlist ON DELETE CASCADE,
  track_id integer NOT NULL REFERENCES track ON DELETE CASCADE,
  PRIMARY KEY (playlist_id, track_id)
);
CREATE TABLE employee (
  employee_id serial PRIMARY KEY,
  last_name varchar(20) NOT NULL,
  first_name varchar(20) NOT NULL,
  reports_to integer REFERENCES employee,
  hire_date timestamp
);
CREATE TABLE customer (
  customer_id serial PRIMARY KEY,
  email varchar(60) NOT NULL UNIQUE,
  country varchar(40),
  support_rep_id integer REFERENCES employee
);
CREATE TABLE invoice (
  invoice_id serial PRIMARY KEY,
  customer_id integer NOT NULL REFERENCES customer,
  invoice_date timestamp NOT NULL DEFAULT now(),
  total numeric(10,2) NOT NULL DEFAULT 0
);
CREATE TABLE invoice_line (
  invoice_line_id serial PRIMARY KEY,
  invoice_id integer NOT NULL REFERENCES invoice ON DELETE CASCADE,
  track_id integer NOT NULL REFERENCES track,
  unit_price numeric(10,2) NOT NULL,
  quantity integer NOT NULL DEFAULT 1
);

INSERT INTO artist (name) VALUES ('The Anvils'), ('Björk''s Cousin'), (NULL);
INSERT INTO album (title, artist_id) VALUES ('Iron', 1), ('Steel', 1), ('Ice', 2);
INSERT INTO genre (name) VALUES ('Rock'), ('Drum & Bass');
INSERT INTO media_type (name) VALUES ('AAC'), ('FLAC');
INSERT INTO track (name, album_id, media_type_id, genre_id, composer, milliseconds, bytes, unit_price) VALUES
  ('Hammer', 1, 1, 1, 'A. Smith', 215000, 5000000000, 0.99), ('Tongs', 1, 1, 1, NULL, 180000, 4000000, 0.99),
  ('Bellows', 2, 2, 1, 'A. Smith', 99000, 3000000, 1.99), ('Floe', 3, 2, 2, NULL, 301000, 9000000, 1.5), ('Bonus', NULL, 1, NULL, NULL, 1000, NULL, 0);
INSERT INTO playlist (name) VALUES ('Morning'), ('Evening'), ('Empty');
INSERT INTO playlist_track VALUES (1, 1), (1, 3), (2, 3), (2, 4);
INSERT INTO employee (last_name, first_name, reports_to, hire_date) VALUES
  ('Adams', 'Ann', NULL, '2002-08-14'), ('Baker', 'Bob', 1, '2003-05-01'), ('Clark', 'Cy', 2, NULL);
INSERT INTO customer (email, country, support_rep_id) VALUES ('x@example.org', 'Norway', 3), ('y@example.org', 'Chile', 3), ('z@example.org', NULL, NULL);
INSERT INTO invoice (customer_id, invoice_date, total) VALUES (1, '2021-01-01', 2.98), (1, '2021-02-11 08:30', 1.5), (2, '2022-01-03', 0.99);
INSERT INTO invoice_line (invoice_id, track_id, unit_price, quantity) VALUES (1, 1, 0.99, 1), (1, 3, 1.99, 1), (2, 4, 1.5, 1), (3, 2, 0.99, 1);
