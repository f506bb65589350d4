-- +goose Up
ALTER TABLE "products" VALIDATE CONSTRAINT "products_files_picture";

-- +goose Down
ALTER TABLE "products" DROP CONSTRAINT "products_files_picture",
ADD CONSTRAINT "products_files_picture" FOREIGN KEY ("picture_id") REFERENCES "files" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION NOT VALID;
