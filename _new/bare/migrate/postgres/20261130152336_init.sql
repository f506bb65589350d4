-- +goose Up
-- create "idempotency_keys" table
CREATE TABLE "idempotency_keys" (
  "id" uuid NOT NULL,
  "viewer" character varying NOT NULL COLLATE "C",
  "key" character varying NOT NULL COLLATE "C",
  "fingerprint" character varying NOT NULL COLLATE "C",
  "answer" text NULL COLLATE "C",
  "expires_at" timestamptz NOT NULL,
  PRIMARY KEY ("id")
);
-- create index "idempotencykey_expires_at" to table: "idempotency_keys"
CREATE INDEX "idempotencykey_expires_at" ON "idempotency_keys" ("expires_at");
-- create index "idempotencykey_viewer_key" to table: "idempotency_keys"
CREATE UNIQUE INDEX "idempotencykey_viewer_key" ON "idempotency_keys" ("viewer", "key");
-- create "users" table
CREATE TABLE "users" (
  "id" uuid NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "deleted_at" timestamptz NULL,
  "email" character varying NULL COLLATE "C",
  "email_key" character varying NULL COLLATE "C",
  "username" character varying NOT NULL COLLATE "C",
  "hashed_password" character varying NULL COLLATE "C",
  "tokens_valid_after" timestamptz NULL,
  "role" character varying NOT NULL DEFAULT 'USER' COLLATE "C",
  "is_active" boolean NOT NULL DEFAULT true,
  "email_verified_at" timestamptz NULL,
  "erase_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "users_email_and_key" CHECK ((email IS NULL) = (email_key IS NULL)),
  CONSTRAINT "users_email_length" CHECK (length(email) BETWEEN 3 AND 254),
  CONSTRAINT "users_role_known" CHECK (role IN ('USER', 'ADMIN')),
  CONSTRAINT "users_username_length" CHECK (length(username) BETWEEN 1 AND 50)
);
-- create index "user_created_at_id" to table: "users"
CREATE INDEX "user_created_at_id" ON "users" ("created_at", "id") WHERE (deleted_at IS NULL);
-- create index "user_email_key" to table: "users"
CREATE UNIQUE INDEX "user_email_key" ON "users" ("email_key") WHERE (deleted_at IS NULL);
-- create index "user_erase_at" to table: "users"
CREATE INDEX "user_erase_at" ON "users" ("erase_at") WHERE (erase_at IS NOT NULL);
-- create index "user_id" to table: "users"
CREATE INDEX "user_id" ON "users" ("id") WHERE (deleted_at IS NOT NULL);
-- create index "user_tokens_valid_after" to table: "users"
CREATE INDEX "user_tokens_valid_after" ON "users" ("tokens_valid_after") WHERE (tokens_valid_after IS NOT NULL);
-- create index "user_updated_at_id" to table: "users"
CREATE INDEX "user_updated_at_id" ON "users" ("updated_at", "id") WHERE (deleted_at IS NULL);
-- create index "user_username" to table: "users"
CREATE UNIQUE INDEX "user_username" ON "users" ("username") WHERE (deleted_at IS NULL);
-- create "files" table
CREATE TABLE "files" (
  "id" uuid NOT NULL,
  "name" character varying NOT NULL COLLATE "C",
  "content_type" character varying NOT NULL COLLATE "C",
  "size" bigint NOT NULL,
  "width" integer NULL,
  "height" integer NULL,
  "blurhash" character varying NULL COLLATE "C",
  "etag" character varying NULL COLLATE "C",
  "state" character varying NOT NULL DEFAULT 'announced' COLLATE "C",
  "attached_at" timestamptz NULL,
  "created_at" timestamptz NOT NULL,
  "user_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "files_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE SET NULL,
  CONSTRAINT "files_attached_stored" CHECK (attached_at IS NULL OR state <> 'announced'),
  CONSTRAINT "files_name_length" CHECK (length(name) BETWEEN 1 AND 255),
  CONSTRAINT "files_size_not_negative" CHECK (size >= 0),
  CONSTRAINT "files_state_known" CHECK (state IN ('announced', 'stored', 'removed')),
  CONSTRAINT "files_stored_with_etag" CHECK (state <> 'stored' OR etag IS NOT NULL)
);
-- create index "file_created_at" to table: "files"
CREATE INDEX "file_created_at" ON "files" ("created_at") WHERE (attached_at IS NULL);
-- create index "file_id" to table: "files"
CREATE INDEX "file_id" ON "files" ("id") WHERE ((state)::text = 'removed'::text);
-- create index "file_user_id_created_at" to table: "files"
CREATE INDEX "file_user_id_created_at" ON "files" ("user_id", "created_at");
-- create "credentials" table
CREATE TABLE "credentials" (
  "id" uuid NOT NULL,
  "kind" character varying NOT NULL COLLATE "C",
  "key" character varying NOT NULL COLLATE "C",
  "name" character varying NULL COLLATE "C",
  "data" bytea NULL,
  "created_at" timestamptz NOT NULL,
  "confirmed_at" timestamptz NULL,
  "last_used_at" timestamptz NULL,
  "user_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "credentials_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "credential_kind_key" to table: "credentials"
CREATE UNIQUE INDEX "credential_kind_key" ON "credentials" ("kind", "key");
-- create index "credential_user_id_kind" to table: "credentials"
CREATE INDEX "credential_user_id_kind" ON "credentials" ("user_id", "kind");
-- create "mails" table
CREATE TABLE "mails" (
  "id" uuid NOT NULL,
  "template" character varying NOT NULL COLLATE "C",
  "recipient" character varying NOT NULL COLLATE "C",
  "language" character varying NULL COLLATE "C",
  "data" text NULL COLLATE "C",
  "created_at" timestamptz NOT NULL,
  "due_at" timestamptz NOT NULL,
  "lease" uuid NULL,
  "leased_until" timestamptz NULL,
  "failures" integer NOT NULL DEFAULT 0,
  "last_error" text NULL COLLATE "C",
  "failed_at" timestamptz NULL,
  "user_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "mails_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "mail_due_at" to table: "mails"
CREATE INDEX "mail_due_at" ON "mails" ("due_at") WHERE (failed_at IS NULL);
-- create index "mail_user_id" to table: "mails"
CREATE INDEX "mail_user_id" ON "mails" ("user_id");
-- create "sessions" table
CREATE TABLE "sessions" (
  "id" uuid NOT NULL,
  "family" uuid NOT NULL,
  "token_hash" character varying NOT NULL COLLATE "C",
  "created_at" timestamptz NOT NULL,
  "expires_at" timestamptz NOT NULL,
  "used_at" timestamptz NULL,
  "successor_salt" character varying NULL COLLATE "C",
  "began_at" timestamptz NULL,
  "method" character varying NULL COLLATE "C",
  "address" character varying NULL COLLATE "C",
  "client" character varying NULL COLLATE "C",
  "user_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "sessions_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "session_expires_at" to table: "sessions"
CREATE INDEX "session_expires_at" ON "sessions" ("expires_at");
-- create index "session_family" to table: "sessions"
CREATE INDEX "session_family" ON "sessions" ("family");
-- create index "session_token_hash" to table: "sessions"
CREATE UNIQUE INDEX "session_token_hash" ON "sessions" ("token_hash");
-- create index "session_user_id" to table: "sessions"
CREATE INDEX "session_user_id" ON "sessions" ("user_id");
-- create index "session_user_id_created_at" to table: "sessions"
CREATE INDEX "session_user_id_created_at" ON "sessions" ("user_id", "created_at") WHERE (used_at IS NULL);
-- create "sign_ins" table
CREATE TABLE "sign_ins" (
  "id" uuid NOT NULL,
  "method" character varying NOT NULL COLLATE "C",
  "succeeded" boolean NOT NULL,
  "address" character varying NULL COLLATE "C",
  "client" character varying NULL COLLATE "C",
  "created_at" timestamptz NOT NULL,
  "user_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "sign_ins_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "signin_created_at" to table: "sign_ins"
CREATE INDEX "signin_created_at" ON "sign_ins" ("created_at");
-- create index "signin_user_id_created_at" to table: "sign_ins"
CREATE INDEX "signin_user_id_created_at" ON "sign_ins" ("user_id", "created_at");
-- create "webhooks" table
CREATE TABLE "webhooks" (
  "id" uuid NOT NULL,
  "url" character varying NOT NULL COLLATE "C",
  "document" text NOT NULL COLLATE "C",
  "variables" text NULL COLLATE "C",
  "role" character varying NOT NULL COLLATE "C",
  "secret" character varying NOT NULL COLLATE "C",
  "previous_secret" character varying NULL COLLATE "C",
  "previous_until" timestamptz NULL,
  "position" text NOT NULL COLLATE "C",
  "due_at" timestamptz NOT NULL,
  "lease" uuid NULL,
  "leased_until" timestamptz NULL,
  "failures" integer NOT NULL DEFAULT 0,
  "failing_since" timestamptz NULL,
  "last_status" integer NULL,
  "last_error" text NULL COLLATE "C",
  "delivered_at" timestamptz NULL,
  "disabled_at" timestamptz NULL,
  "disabled_reason" text NULL COLLATE "C",
  "created_at" timestamptz NOT NULL,
  "user_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "webhooks_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "webhook_user_id" to table: "webhooks"
CREATE INDEX "webhook_user_id" ON "webhooks" ("user_id");
-- +goose StatementBegin
CREATE FUNCTION forge_words_a9611ed6f6fa(words text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
DECLARE
  list text[];
BEGIN
  words := lower(words COLLATE "C");
  IF octet_length(words) > length(words) THEN
    IF words ~ '[\u0080-\u024f\u0300-\u036f\u1e00-\u1eff]' THEN
      words := translate(words, 'µÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞàáâãäåçèéêëìíîïñòóôõöùúûüýÿĀāĂăĄąĆćĈĉĊċČčĎďĐĒēĔĕĖėĘęĚěĜĝĞğĠġĢģĤĥĦĨĩĪīĬĭĮįİĲĴĵĶķĹĺĻļĽľĿŁŃńŅņŇňŊŌōŎŏŐőŒŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŦŨũŪūŬŭŮůŰűŲųŴŵŶŷŸŹźŻżŽžſƁƂƄƆƇƉƊƋƎƏƐƑƓƔƖƗƘƜƝƟƠơƢƤƦƧƩƬƮƯưƱƲƳƵƷƸƼǄǅǇǈǊǋǍǎǏǐǑǒǓǔǕǖǗǘǙǚǛǜǞǟǠǢǤǦǧǨǩǪǫǬǭǮǰǱǲǴǵǶǷǸǹǺǻǼǾȀȁȂȃȄȅȆȇȈȉȊȋȌȍȎȏȐȑȒȓȔȕȖȗȘșȚțȜȞȟȠȢȤȦȧȨȩȪȫȬȭȮȯȰȱȲȳȺȻȽȾɁɃɄɅɆɈɊɌɎͅḀḁḂḃḄḅḆḇḈḉḊḋḌḍḎḏḐḑḒḓḔḕḖḗḘḙḚḛḜḝḞḟḠḡḢḣḤḥḦḧḨḩḪḫḬḭḮḯḰḱḲḳḴḵḶḷḸḹḺḻḼḽḾḿṀṁṂṃṄṅṆṇṈṉṊṋṌṍṎṏṐṑṒṓṔṕṖṗṘṙṚṛṜṝṞṟṠṡṢṣṤṥṦṧṨṩṪṫṬṭṮṯṰṱṲṳṴṵṶṷṸṹṺṻṼṽṾṿẀẁẂẃẄẅẆẇẈẉẊẋẌẍẎẏẐẑẒẓẔẕẖẗẘẙẛẞẠạẢảẤấẦầẨẩẪẫẬậẮắẰằẲẳẴẵẶặẸẹẺẻẼẽẾếỀềỂểỄễỆệỈỉỊịỌọỎỏỐốỒồỔổỖỗỘộỚớỜờỞởỠỡỢợỤụỦủỨứỪừỬửỮữỰựỲỳỴỵỶỷỸỹỺỼỾ̧̨̛̣̤̥̦̭̮̰̱̀́̂̃̄̆̇̈̉̊̋̌̏̑', 'μaaaaaaæceeeeiiiiðnoooooøuuuuyþaaaaaaceeeeiiiinooooouuuuyyaaaaaaccccccccddđeeeeeeeeeegggggggghhħiiiiiiiiiĳjjkkllllllŀłnnnnnnŋooooooœrrrrrrssssssssttttŧuuuuuuuuuuuuwwyyyzzzzzzsɓƃƅɔƈɖɗƌǝəɛƒɠɣɩɨƙɯɲɵooƣƥʀƨʃƭʈuuʊʋƴƶʒƹƽǆǆǉǉǌǌaaiioouuuuuuuuuuaaǡǣǥggkkooooǯjǳǳggƕƿnnaaǽǿaaaaeeeeiiiioooorrrruuuussttȝhhƞȣȥaaeeooooooooyyⱥȼƚⱦɂƀʉʌɇɉɋɍɏιaabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwysßaaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyyỻỽỿ');
    END IF;
    IF words ~ '[\u0370-\u03ff\u1f00-\u1fff]' THEN
      words := translate(words, 'ͰͲͶΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫςϏϐϑϕϖϘϚϜϞϠϢϤϦϨϪϬϮϰϱϴϵϷϹϺϽϾϿἈἉἊἋἌἍἎἏἘἙἚἛἜἝἨἩἪἫἬἭἮἯἸἹἺἻἼἽἾἿὈὉὊὋὌὍὙὛὝὟὨὩὪὫὬὭὮὯᾈᾉᾊᾋᾌᾍᾎᾏᾘᾙᾚᾛᾜᾝᾞᾟᾨᾩᾪᾫᾬᾭᾮᾯᾸᾹᾺΆᾼιῈΈῊΉῌῘῙῚΊῨῩῪΎῬῸΌῺΏῼ', 'ͱͳͷάέήίόύώαβγδεζηθικλμνξοπρστυφχψωϊϋσϗβθφπϙϛϝϟϡϣϥϧϩϫϭϯκρθεϸϲϻͻͼͽἀἁἂἃἄἅἆἇἐἑἒἓἔἕἠἡἢἣἤἥἦἧἰἱἲἳἴἵἶἷὀὁὂὃὄὅὑὓὕὗὠὡὢὣὤὥὦὧᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧᾰᾱὰάᾳιὲέὴήῃῐῑὶίῠῡὺύῥὸόὼώῳ');
    END IF;
    IF words ~ '[\u0400-\u052f]' THEN
      words := translate(words, 'ЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѶѸѺѼѾҀҊҌҎҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾӀӁӃӅӇӉӋӍӐӒӔӖӘӚӜӞӠӢӤӦӨӪӬӮӰӲӴӶӸӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦ', 'ѐёђѓєѕіїјљњћќѝўџабвгдежзийклмнопрстуфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѷѹѻѽѿҁҋҍҏґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿӏӂӄӆӈӊӌӎӑӓӕӗәӛӝӟӡӣӥӧөӫӭӯӱӳӵӷӹӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧ');
    END IF;
    IF words ~ '[\u0250-\u02ff\u0530-\u1dff\u2000-\U0010ffff]' THEN
      words := translate(words, 'ԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖႠႡႢႣႤႥႦႧႨႩႪႫႬႭႮႯႰႱႲႳႴႵႶႷႸႹႺႻႼႽႾႿჀჁჂჃჄჅჇჍΩKÅℲⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫⅬⅭⅮⅯↃⰀⰁⰂⰃⰄⰅⰆⰇⰈⰉⰊⰋⰌⰍⰎⰏⰐⰑⰒⰓⰔⰕⰖⰗⰘⰙⰚⰛⰜⰝⰞⰟⰠⰡⰢⰣⰤⰥⰦⰧⰨⰩⰪⰫⰬⰭⰮⱠⱢⱣⱤⱧⱩⱫⱭⱮⱯⱰⱲⱵⱾⱿⲀⲂⲄⲆⲈⲊⲌⲎⲐⲒⲔⲖⲘⲚⲜⲞⲠⲢⲤⲦⲨⲪⲬⲮⲰⲲⲴⲶⲸⲺⲼⲾⳀⳂⳄⳆⳈⳊⳌⳎⳐⳒⳔⳖⳘⳚⳜⳞⳠⳢⳫⳭⳲꙀꙂꙄꙆꙈꙊꙌꙎꙐꙒꙔꙖꙘꙚꙜꙞꙠꙢꙤꙦꙨꙪꙬꚀꚂꚄꚆꚈꚊꚌꚎꚐꚒꚔꚖꜢꜤꜦꜨꜪꜬꜮꜲꜴꜶꜸꜺꜼꜾꝀꝂꝄꝆꝈꝊꝌꝎꝐꝒꝔꝖꝘꝚꝜꝞꝠꝢꝤꝦꝨꝪꝬꝮꝹꝻꝽꝾꞀꞂꞄꞆꞋꞍꞐꞒꞠꞢꞤꞦꞨꞪＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ𐐀𐐁𐐂𐐃𐐄𐐅𐐆𐐇𐐈𐐉𐐊𐐋𐐌𐐍𐐎𐐏𐐐𐐑𐐒𐐓𐐔𐐕𐐖𐐗𐐘𐐙𐐚𐐛𐐜𐐝𐐞𐐟𐐠𐐡𐐢𐐣𐐤𐐥𐐦𐐧', 'աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆⴀⴁⴂⴃⴄⴅⴆⴇⴈⴉⴊⴋⴌⴍⴎⴏⴐⴑⴒⴓⴔⴕⴖⴗⴘⴙⴚⴛⴜⴝⴞⴟⴠⴡⴢⴣⴤⴥⴧⴭωkaⅎⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹⅺⅻⅼⅽⅾⅿↄⰰⰱⰲⰳⰴⰵⰶⰷⰸⰹⰺⰻⰼⰽⰾⰿⱀⱁⱂⱃⱄⱅⱆⱇⱈⱉⱊⱋⱌⱍⱎⱏⱐⱑⱒⱓⱔⱕⱖⱗⱘⱙⱚⱛⱜⱝⱞⱡɫᵽɽⱨⱪⱬɑɱɐɒⱳⱶȿɀⲁⲃⲅⲇⲉⲋⲍⲏⲑⲓⲕⲗⲙⲛⲝⲟⲡⲣⲥⲧⲩⲫⲭⲯⲱⲳⲵⲷⲹⲻⲽⲿⳁⳃⳅⳇⳉⳋⳍⳏⳑⳓⳕⳗⳙⳛⳝⳟⳡⳣⳬⳮⳳꙁꙃꙅꙇꙉꙋꙍꙏꙑꙓꙕꙗꙙꙛꙝꙟꙡꙣꙥꙧꙩꙫꙭꚁꚃꚅꚇꚉꚋꚍꚏꚑꚓꚕꚗꜣꜥꜧꜩꜫꜭꜯꜳꜵꜷꜹꜻꜽꜿꝁꝃꝅꝇꝉꝋꝍꝏꝑꝓꝕꝗꝙꝛꝝꝟꝡꝣꝥꝧꝩꝫꝭꝯꝺꝼᵹꝿꞁꞃꞅꞇꞌɥꞑꞓꞡꞣꞥꞧꞩɦａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ𐐨𐐩𐐪𐐫𐐬𐐭𐐮𐐯𐐰𐐱𐐲𐐳𐐴𐐵𐐶𐐷𐐸𐐹𐐺𐐻𐐼𐐽𐐾𐐿𐑀𐑁𐑂𐑃𐑄𐑅𐑆𐑇𐑈𐑉𐑊𐑋𐑌𐑍𐑎𐑏');
    END IF;
  END IF;
  list := array_remove(regexp_split_to_array(words, '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7\u02c2-\u02c5\u02d2-\u02df\u02e5-\u02eb\u02ed\u02ef-\u02ff\u0375\u037e\u0384-\u0385\u0387\u03f6\u0482\u055a-\u055f\u0589-\u058a\u058f\u05be\u05c0\u05c3\u05c6\u05f3-\u05f4\u0600-\u0604\u0606-\u060f\u061b\u061e-\u061f\u066a-\u066d\u06d4\u06dd-\u06de\u06e9\u06fd-\u06fe\u0700-\u070d\u070f\u07f6-\u07f9\u0830-\u083e\u085e\u0964-\u0965\u0970\u09f2-\u09f3\u09fa-\u09fb\u0af0-\u0af1\u0b70\u0bf3-\u0bfa\u0c7f\u0d79\u0df4\u0e3f\u0e4f\u0e5a-\u0e5b\u0f01-\u0f17\u0f1a-\u0f1f\u0f34\u0f36\u0f38\u0f3a-\u0f3d\u0f85\u0fbe-\u0fc5\u0fc7-\u0fcc\u0fce-\u0fda\u104a-\u104f\u109e-\u109f\u10fb\u1360-\u1368\u1390-\u1399\u1400\u166d-\u166e\u1680\u169b-\u169c\u16eb-\u16ed\u1735-\u1736\u17d4-\u17d6\u17d8-\u17db\u1800-\u180a\u180e\u1940\u1944-\u1945\u19de-\u19ff\u1a1e-\u1a1f\u1aa0-\u1aa6\u1aa8-\u1aad\u1b5a-\u1b6a\u1b74-\u1b7c\u1bfc-\u1bff\u1c3b-\u1c3f\u1c7e-\u1c7f\u1cc0-\u1cc7\u1cd3\u1fbd\u1fbf-\u1fc1\u1fcd-\u1fcf\u1fdd-\u1fdf\u1fed-\u1fef\u1ffd-\u1ffe\u2000-\u2064\u206a-\u206f\u207a-\u207e\u208a-\u208e\u20a0-\u20b9\u2100-\u2101\u2103-\u2106\u2108-\u2109\u2114\u2116-\u2118\u211e-\u2123\u2125\u2127\u2129\u212e\u213a-\u213b\u2140-\u2144\u214a-\u214d\u214f\u2190-\u23f3\u2400-\u2426\u2440-\u244a\u249c-\u24e9\u2500-\u26ff\u2701-\u2775\u2794-\u2b4c\u2b50-\u2b59\u2ce5-\u2cea\u2cf9-\u2cfc\u2cfe-\u2cff\u2d70\u2e00-\u2e2e\u2e30-\u2e3b\u2e80-\u2e99\u2e9b-\u2ef3\u2f00-\u2fd5\u2ff0-\u2ffb\u3000-\u3004\u3008-\u3020\u3030\u3036-\u3037\u303d-\u303f\u309b-\u309c\u30a0\u30fb\u3190-\u3191\u3196-\u319f\u31c0-\u31e3\u3200-\u321e\u322a-\u3247\u3250\u3260-\u327f\u328a-\u32b0\u32c0-\u32fe\u3300-\u33ff\u4dc0-\u4dff\ua490-\ua4c6\ua4fe-\ua4ff\ua60d-\ua60f\ua673\ua67e\ua6f2-\ua6f7\ua700-\ua716\ua720-\ua721\ua789-\ua78a\ua828-\ua82b\ua836-\ua839\ua874-\ua877\ua8ce-\ua8cf\ua8f8-\ua8fa\ua92e-\ua92f\ua95f\ua9c1-\ua9cd\ua9de-\ua9df\uaa5c-\uaa5f\uaa77-\uaa79\uaade-\uaadf\uaaf0-\uaaf1\uabeb\ufb29\ufbb2-\ufbc1\ufd3e-\ufd3f\ufdfc-\ufdfd\ufe10-\ufe19\ufe30-\ufe52\ufe54-\ufe66\ufe68-\ufe6b\ufeff\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffe6\uffe8-\uffee\ufff9-\uffff\U00010100-\U00010102\U00010137-\U0001013f\U00010179-\U00010189\U00010190-\U0001019b\U000101d0-\U000101fc\U0001039f\U000103d0\U00010857\U0001091f\U0001093f\U00010a50-\U00010a58\U00010a7f\U00010b39-\U00010b3f\U00011047-\U0001104d\U000110bb-\U000110c1\U00011140-\U00011143\U000111c5-\U000111c8\U00012470-\U00012473\U0001d000-\U0001d0f5\U0001d100-\U0001d126\U0001d129-\U0001d164\U0001d16a-\U0001d16c\U0001d173-\U0001d17a\U0001d183-\U0001d184\U0001d18c-\U0001d1a9\U0001d1ae-\U0001d1dd\U0001d200-\U0001d241\U0001d245\U0001d300-\U0001d356\U0001d6c1\U0001d6db\U0001d6fb\U0001d715\U0001d735\U0001d74f\U0001d76f\U0001d789\U0001d7a9\U0001d7c3\U0001eef0-\U0001eef1\U0001f000-\U0001f02b\U0001f030-\U0001f093\U0001f0a0-\U0001f0ae\U0001f0b1-\U0001f0be\U0001f0c1-\U0001f0cf\U0001f0d1-\U0001f0df\U0001f110-\U0001f12e\U0001f130-\U0001f16b\U0001f170-\U0001f19a\U0001f1e6-\U0001f202\U0001f210-\U0001f23a\U0001f240-\U0001f248\U0001f250-\U0001f251\U0001f300-\U0001f320\U0001f330-\U0001f335\U0001f337-\U0001f37c\U0001f380-\U0001f393\U0001f3a0-\U0001f3c4\U0001f3c6-\U0001f3ca\U0001f3e0-\U0001f3f0\U0001f400-\U0001f43e\U0001f440\U0001f442-\U0001f4f7\U0001f4f9-\U0001f4fc\U0001f500-\U0001f53d\U0001f540-\U0001f543\U0001f550-\U0001f567\U0001f5fb-\U0001f640\U0001f645-\U0001f64f\U0001f680-\U0001f6c5\U0001f700-\U0001f773\U000e0001\U000e0020-\U000e007f]+'), '');
  IF length(words) > 257 THEN
    list := ARRAY(SELECT left(word, 257) FROM unnest(list) AS word);
  END IF;
  RETURN array_to_tsvector(list);
END
$$;
-- +goose StatementEnd
CREATE INDEX forge_search_users_1a04d5431570 ON "users" USING gin (forge_words_a9611ed6f6fa(coalesce(substr("username", 1, 60000), ''))) WITH (fastupdate = off);
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
CREATE TABLE forge_onetime_36998c876810 (
  hash bytea PRIMARY KEY,
  purpose text COLLATE "C" NOT NULL,
  account bytea,
  data bytea,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  UNIQUE (account, purpose, created_at, hash),
  UNIQUE (expires_at, hash)
);

-- +goose Down
DROP TABLE forge_documents_85a1ded1b5e9;
DROP TABLE forge_failures_e97620c6f587;
DROP TABLE forge_keys_6c2a6e086d0d;
DROP TABLE forge_onetime_36998c876810;
DROP INDEX forge_search_users_1a04d5431570;
DROP FUNCTION forge_words_a9611ed6f6fa;
-- drop "files" table
DROP TABLE "files";
-- drop "credentials" table
DROP TABLE "credentials";
-- drop "idempotency_keys" table
DROP TABLE "idempotency_keys";
-- drop "mails" table
DROP TABLE "mails";
-- drop "sessions" table
DROP TABLE "sessions";
-- drop "sign_ins" table
DROP TABLE "sign_ins";
-- drop "webhooks" table
DROP TABLE "webhooks";
-- drop "users" table
DROP TABLE "users";
