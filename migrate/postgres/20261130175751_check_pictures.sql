-- +goose Up
ALTER TABLE "products" VALIDATE CONSTRAINT "products_files_picture";

-- +goose Down
-- A constraint that is valid may stay so.
