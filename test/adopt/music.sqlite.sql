-- A music store, as a file of SQLite: keys are whole numbers, prices have two digits after the point.
CREATE TABLE Artist (ArtistId INTEGER PRIMARY KEY, Name NVARCHAR(120));
CREATE TABLE Album (
  AlbumId INTEGER PRIMARY KEY,
  Title NVARCHAR(160) NOT NULL,
  ArtistId INTEGER NOT NULL REFERENCES Artist (ArtistId) ON DELETE NO ACTION
);
CREATE INDEX IFK_AlbumArtistId ON Album (ArtistId);
CREATE TABLE Genre (GenreId INTEGER PRIMARY KEY, Name NVARCHAR(120) UNIQUE);
CREATE TABLE MediaType (MediaTypeId INTEGER PRIMARY KEY, Name NVARCHAR(120));
CREATE TABLE Track (
  TrackId INTEGER PRIMARY KEY,
  Name NVARCHAR(200) NOT NULL,
  AlbumId INTEGER REFERENCES Album,
  MediaTypeId INTEGER NOT NULL REFERENCES mediatype (mediatypeid),
  GenreId INTEGER REFERENCES Genre (GenreId),
  Composer NVARCHAR(220),
  Milliseconds INTEGER NOT NULL CHECK (Milliseconds >= 0),
  Bytes INTEGER,
  UnitPrice NUMERIC(10,2) NOT NULL
);
CREATE INDEX IFK_TrackAlbumId ON Track (AlbumId);
CREATE INDEX TrackName ON Track (Name);
CREATE TABLE Playlist (PlaylistId INTEGER PRIMARY KEY, Name NVARCHAR(120));
CREATE TABLE PlaylistTrack (
  PlaylistId INTEGER NOT NULL REFERENCES Playlist (PlaylistId),
  TrackId INTEGER NOT NULL REFERENCES Track (TrackId),
  PRIMARY KEY (PlaylistId, TrackId)
);
CREATE TABLE Employee (
  EmployeeId INTEGER PRIMARY KEY,
  LastName NVARCHAR(20) NOT NULL,
  FirstName NVARCHAR(20) NOT NULL,
  ReportsTo INTEGER REFERENCES Employee (EmployeeId),
  HireDate DATETIME
);
CREATE TABLE Customer (
  CustomerId INTEGER PRIMARY KEY,
  Email NVARCHAR(60) NOT NULL UNIQUE,
  Country NVARCHAR(40),
  SupportRepId INTEGER REFERENCES Employee (EmployeeId)
);
CREATE TABLE Invoice (
  InvoiceId INTEGER PRIMARY KEY,
  CustomerId INTEGER NOT NULL REFERENCES Customer (CustomerId),
  InvoiceDate DATETIME NOT NULL,
  Total NUMERIC(10,2) NOT NULL DEFAULT 0
);
CREATE TABLE InvoiceLine (
  InvoiceLineId INTEGER PRIMARY KEY,
  InvoiceId INTEGER NOT NULL REFERENCES Invoice (InvoiceId) ON DELETE CASCADE,
  TrackId INTEGER NOT NULL REFERENCES Track (TrackId),
  UnitPrice NUMERIC(10,2) NOT NULL,
  Quantity INTEGER NOT NULL DEFAULT 1
);
CREATE VIEW Expensive AS SELECT * FROM Track WHERE UnitPrice > 1;
CREATE VIRTUAL TABLE Lyrics USING fts5 (Text);

INSERT INTO Artist VALUES (1, 'The Anvils'), (2, 'Björk''s Cousin'), (3, NULL);
INSERT INTO Album VALUES (1, 'Iron', 1), (2, 'Steel', 1), (3, 'Ice', 2);
INSERT INTO Genre VALUES (1, 'Rock'), (2, 'Drum & Bass');
INSERT INTO MediaType VALUES (1, 'AAC'), (2, 'FLAC');
INSERT INTO Track VALUES
  (1, 'Hammer', 1, 1, 1, 'A. Smith', 215000, 5000000000, 0.99), (2, 'Tongs', 1, 1, 1, NULL, 180000, 4000000, 0.99),
  (3, 'Bellows', 2, 2, 1, 'A. Smith', 99000, 3000000, 1.99), (4, 'Floe', 3, 2, 2, NULL, 301000, 9000000, 1.5), (5, 'Bonus', NULL, 1, NULL, NULL, 1000, NULL, 0);
INSERT INTO Playlist VALUES (1, 'Morning'), (2, 'Evening'), (3, 'Empty');
INSERT INTO PlaylistTrack VALUES (1, 1), (1, 3), (2, 3), (2, 4);
INSERT INTO Employee VALUES (1, 'Adams', 'Ann', NULL, '2002-08-14 00:00:00'), (2, 'Baker', 'Bob', 1, '2003-05-01 00:00:00'), (3, 'Clark', 'Cy', 2, NULL);
INSERT INTO Customer VALUES (1, 'x@example.org', 'Norway', 3), (2, 'y@example.org', 'Chile', 3), (3, 'z@example.org', NULL, NULL);
INSERT INTO Invoice VALUES (1, 1, '2021-01-01 00:00:00', 2.98), (2, 1, '2021-02-11 08:30:00', 1.5), (3, 2, '2022-01-03 00:00:00', 0.99);
INSERT INTO InvoiceLine VALUES (1, 1, 1, 0.99, 1), (2, 1, 3, 1.99, 1), (3, 2, 4, 1.5, 1), (4, 3, 2, 0.99, 1);
