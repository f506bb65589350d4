-- +goose Up
-- create "webhooks" table
CREATE TABLE `webhooks` (
  `id` blob NOT NULL,
  `url` text NOT NULL,
  `document` text NOT NULL,
  `variables` text NULL,
  `role` text NOT NULL,
  `secret` text NOT NULL,
  `previous_secret` text NULL,
  `previous_until` datetime NULL,
  `position` text NOT NULL,
  `due_at` datetime NOT NULL,
  `lease` blob NULL,
  `leased_until` datetime NULL,
  `failures` integer NOT NULL DEFAULT 0,
  `failing_since` datetime NULL,
  `last_status` integer NULL,
  `last_error` text NULL,
  `delivered_at` datetime NULL,
  `disabled_at` datetime NULL,
  `disabled_reason` text NULL,
  `created_at` datetime NOT NULL,
  `user_id` blob NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `webhooks_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "webhook_user_id" to table: "webhooks"
CREATE INDEX `webhook_user_id` ON `webhooks` (`user_id`);

-- +goose Down
-- drop "webhooks" table
DROP TABLE `webhooks`;
