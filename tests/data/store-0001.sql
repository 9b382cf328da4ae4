BEGIN TRANSACTION;
CREATE TABLE accounts (
	id INTEGER NOT NULL, 
	code VARCHAR(16) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	is_sample BOOLEAN NOT NULL, 
	time_zone VARCHAR(64) NOT NULL, 
	password_policy JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_accounts PRIMARY KEY (id), 
	CONSTRAINT uq_accounts_code UNIQUE (code)
);
INSERT INTO "accounts" VALUES(1,'sample','Sample Customer',1,'UTC','{}','2026-11-23 02:10:41.015615',1);
INSERT INTO "accounts" VALUES(2,'acme','Acme Pty Ltd',0,'UTC','{}','2026-11-23 02:10:42.300283',1);
CREATE TABLE addresses (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	user_id VARCHAR(32) NOT NULL, 
	address VARCHAR(320) NOT NULL, 
	"key" VARCHAR(320) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	is_primary BOOLEAN NOT NULL, 
	CONSTRAINT pk_addresses PRIMARY KEY (id), 
	CONSTRAINT fk_addresses_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_addresses_user_id FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT uq_addresses_key UNIQUE ("key")
);
INSERT INTO "addresses" VALUES(1,1,'bd6d48d5c36643af9e183875d12f5767','mia.chen@sample.example','mia.chen@sample.example','upn',1);
INSERT INTO "addresses" VALUES(2,1,'c0095e5b5e764edd8ae0779e65e5865c','liam.wright@sample.example','liam.wright@sample.example','upn',1);
INSERT INTO "addresses" VALUES(3,1,'473d0ba4d22343f6b44b9c2858eeba76','zoe.martin@sample.example','zoe.martin@sample.example','upn',1);
INSERT INTO "addresses" VALUES(4,1,'b1c05239cb744391b91f28dfdb150901','noah.patel@sample.example','noah.patel@sample.example','upn',1);
INSERT INTO "addresses" VALUES(5,1,'3c07f686223440ee989e3a6c4a969f03','fails.once@sample.example','fails.once@sample.example','upn',1);
INSERT INTO "addresses" VALUES(6,1,'aedfac1c75914a0aa0e397f93b2e030a','never.works@sample.example','never.works@sample.example','upn',1);
INSERT INTO "addresses" VALUES(7,1,'6bb0020b3bf24659904b2aabdd8bcf73','ella.waits@fails-once.example','ella.waits@fails-once.example','upn',1);
INSERT INTO "addresses" VALUES(8,1,'65f80325da13415c99c7f138eacfafc3','ivy.newman@sample.example','ivy.newman@sample.example','upn',1);
INSERT INTO "addresses" VALUES(9,1,'87dd72d91cfd412484fe992c5958ebf7','test.person@sample.example','test.person@sample.example','upn',1);
INSERT INTO "addresses" VALUES(10,2,'85c63772b37d4014be949a9994fd642d','ada.lovelace@acme.example','ada.lovelace@acme.example','upn',1);
INSERT INTO "addresses" VALUES(11,2,'85c63772b37d4014be949a9994fd642d','countess@acme.example','countess@acme.example','alias',0);
INSERT INTO "addresses" VALUES(12,2,'cc55328c90ce452bb38199ac4a261812','gone@acme.example','gone@acme.example','upn',1);
INSERT INTO "addresses" VALUES(13,2,'c2ae8e0d51e04db7b646992188250b6d','later@acme.example','later@acme.example','upn',1);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE assignments (
	id VARCHAR(32) NOT NULL, 
	account_id INTEGER NOT NULL, 
	subject_kind VARCHAR(16) NOT NULL, 
	subject_id VARCHAR(32) NOT NULL, 
	user_id VARCHAR(32), 
	domain_id INTEGER, 
	service_id VARCHAR(64) NOT NULL, 
	instance VARCHAR(64) NOT NULL, 
	connector VARCHAR(64) NOT NULL, 
	backend_name VARCHAR(1100) NOT NULL, 
	external_id VARCHAR(256) NOT NULL, 
	wish VARCHAR(16) NOT NULL, 
	level_id VARCHAR(64) NOT NULL, 
	settings JSON NOT NULL, 
	generation INTEGER NOT NULL, 
	secret_id INTEGER, 
	light VARCHAR(8) NOT NULL, 
	word VARCHAR(32) NOT NULL, 
	step VARCHAR(200) NOT NULL, 
	error_kind VARCHAR(16) NOT NULL, 
	error_said TEXT NOT NULL, 
	error_remedy TEXT NOT NULL, 
	since DATETIME NOT NULL, 
	observed_wish VARCHAR(16) NOT NULL, 
	observed_level VARCHAR(64) NOT NULL, 
	observed_generation INTEGER NOT NULL, 
	password_delivered BOOLEAN NOT NULL, 
	drift BOOLEAN NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_assignments PRIMARY KEY (id), 
	CONSTRAINT fk_assignments_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_assignments_domain_id FOREIGN KEY(domain_id) REFERENCES domains (id), 
	CONSTRAINT fk_assignments_secret_id FOREIGN KEY(secret_id) REFERENCES secrets (id), 
	CONSTRAINT fk_assignments_user_id FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT uq_assignments_connector_service_id_backend_name UNIQUE (connector, service_id, backend_name), 
	CONSTRAINT uq_assignments_subject_kind_subject_id_service_id_instance UNIQUE (subject_kind, subject_id, service_id, instance)
);
INSERT INTO "assignments" VALUES('6c1c6a0951c74e0b85f98d9b813e5361',1,'domain','2',NULL,2,'domain-registration','','simulator','fails-once.example','','present','registered','{"auto-renew": true, "name-servers": []}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:41.015615','present','registered',1,1,0,2);
INSERT INTO "assignments" VALUES('3129defda6984bfda7f715caca50fe72',1,'user','bd6d48d5c36643af9e183875d12f5767','bd6d48d5c36643af9e183875d12f5767',NULL,'managed-exchange','','simulator','sample_mia_chen','','present','pc-web-mobile','{"quota": 51200, "primary-address": null, "aliases": [], "forward-to": null, "keep-copy": true, "hide-from-address-list": false, "send-as": [], "full-access": [], "pop": false, "imap": true, "web": true, "mapi": true, "activesync": true, "spam-action": "junk"}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:41.015615','present','pc-web-mobile',1,1,0,2);
INSERT INTO "assignments" VALUES('02d832afe6394bd8b247b4ac22a54def',1,'user','bd6d48d5c36643af9e183875d12f5767','bd6d48d5c36643af9e183875d12f5767',NULL,'web-hosting','shop','simulator','sample_mia_chen_shop','','present','starter','{"domain": null, "https": true, "php": "8.3"}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:41.015615','present','starter',1,1,0,2);
INSERT INTO "assignments" VALUES('3432c4d6d46d4718809dd2df420f7586',1,'user','c0095e5b5e764edd8ae0779e65e5865c','c0095e5b5e764edd8ae0779e65e5865c',NULL,'managed-exchange','','simulator','sample_liam_wright','','present','pc-web','{"quota": 51200, "primary-address": null, "aliases": [], "forward-to": null, "keep-copy": true, "hide-from-address-list": false, "send-as": [], "full-access": [], "pop": false, "imap": true, "web": true, "mapi": true, "spam-action": "junk"}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:41.015615','present','pc-web',1,1,0,2);
INSERT INTO "assignments" VALUES('5df3c050098d4d17966635aa48d37f07',1,'user','c0095e5b5e764edd8ae0779e65e5865c','c0095e5b5e764edd8ae0779e65e5865c',NULL,'databases','orders','simulator','sample_liam_wright_orders','','present','small','{}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:41.015615','present','small',1,1,0,2);
INSERT INTO "assignments" VALUES('d54bd593cbfa443f93aa494eedd62c61',1,'user','c0095e5b5e764edd8ae0779e65e5865c','c0095e5b5e764edd8ae0779e65e5865c',NULL,'databases','stock','simulator','sample_liam_wright_stock','','present','small','{}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:41.015615','present','small',1,1,0,2);
INSERT INTO "assignments" VALUES('22b1a73cddc54def8aef40ddb5028d4b',1,'user','473d0ba4d22343f6b44b9c2858eeba76','473d0ba4d22343f6b44b9c2858eeba76',NULL,'managed-exchange','','simulator','sample_zoe_martin','','present','popx','{"quota": 5120, "primary-address": null, "aliases": [], "forward-to": null, "keep-copy": true, "pop": true, "web": true, "spam-action": "junk"}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:41.015615','present','popx',1,1,0,2);
INSERT INTO "assignments" VALUES('42d432d0de944f368df083339e0287ed',1,'user','b1c05239cb744391b91f28dfdb150901','b1c05239cb744391b91f28dfdb150901',NULL,'managed-exchange','','simulator','sample_noah_patel','','present','pc-web','{"quota": 51200, "primary-address": null, "aliases": [], "forward-to": null, "keep-copy": true, "hide-from-address-list": false, "send-as": [], "full-access": [], "pop": false, "imap": true, "web": true, "mapi": true, "spam-action": "junk"}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:41.015615','present','pc-web',1,1,0,2);
INSERT INTO "assignments" VALUES('c248822f62ea42858a5ef6e835dc6f26',1,'user','3c07f686223440ee989e3a6c4a969f03','3c07f686223440ee989e3a6c4a969f03',NULL,'managed-exchange','','simulator','sample_fails_once','','present','pc-web','{"quota": 51200, "primary-address": null, "aliases": [], "forward-to": null, "keep-copy": true, "hide-from-address-list": false, "send-as": [], "full-access": [], "pop": false, "imap": true, "web": true, "mapi": true, "spam-action": "junk"}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:41.015615','present','pc-web',1,1,0,2);
INSERT INTO "assignments" VALUES('cf4b1101754e41679dc943ba70cd161b',1,'user','aedfac1c75914a0aa0e397f93b2e030a','aedfac1c75914a0aa0e397f93b2e030a',NULL,'managed-exchange','','simulator','sample_never_works','','present','popx','{"quota": 5120, "primary-address": null, "aliases": [], "forward-to": null, "keep-copy": true, "pop": true, "web": true, "spam-action": "junk"}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:41.015615','present','popx',1,1,0,2);
INSERT INTO "assignments" VALUES('d3949c04b510479f8f16dee0291bd484',1,'user','6bb0020b3bf24659904b2aabdd8bcf73','6bb0020b3bf24659904b2aabdd8bcf73',NULL,'managed-exchange','','simulator','sample_ella_waits','','present','popx','{"quota": 5120, "primary-address": null, "aliases": [], "forward-to": null, "keep-copy": true, "pop": true, "web": true, "spam-action": "junk"}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:41.015615','present','popx',1,1,0,2);
INSERT INTO "assignments" VALUES('7fd3b0da77eb431eae366051baf18b4c',2,'domain','4',NULL,4,'domain-registration','','simulator','acme.com','','present','registered','{"auto-renew": true, "name-servers": []}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:42.393921','present','registered',1,1,0,2);
INSERT INTO "assignments" VALUES('e53a43f89bdd45b09185c09e889ecf4d',2,'user','85c63772b37d4014be949a9994fd642d','85c63772b37d4014be949a9994fd642d',NULL,'managed-exchange','','simulator','acme_ada_lovelace','','present','popx','{"quota": 5120, "primary-address": null, "aliases": [], "forward-to": null, "keep-copy": true, "pop": true, "web": true, "spam-action": "junk"}',1,NULL,'green','Provisioned','','','','','2026-11-23 02:10:42.691887','present','popx',1,1,0,2);
INSERT INTO "assignments" VALUES('ca1183a3970b475a9a3752b21c9ec493',2,'user','cc55328c90ce452bb38199ac4a261812','cc55328c90ce452bb38199ac4a261812',NULL,'managed-exchange','','simulator','acme_gone','','absent','popx','{"quota": 5120, "primary-address": null, "aliases": [], "forward-to": null, "keep-copy": true, "pop": true, "web": true, "spam-action": "junk"}',2,NULL,'grey','Not provisioned','','','','','2026-11-23 02:10:42.821667','absent','',2,0,0,3);
INSERT INTO "assignments" VALUES('3753d7019d914499865e67b785186d6b',2,'user','c2ae8e0d51e04db7b646992188250b6d','c2ae8e0d51e04db7b646992188250b6d',NULL,'managed-exchange','','simulator','acme_later','','present','popx','{"quota": 5120, "primary-address": null, "aliases": [], "forward-to": null, "keep-copy": true, "pop": true, "web": true, "spam-action": "junk"}',1,14,'orange','Queued','','','','','2026-11-23 02:10:42.960656','absent','',0,0,0,2);
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	operator VARCHAR(128) NOT NULL, 
	source VARCHAR(16) NOT NULL, 
	ticket VARCHAR(128) NOT NULL, 
	action VARCHAR(64) NOT NULL, 
	target VARCHAR(320) NOT NULL, 
	user_id VARCHAR(32), 
	request_id INTEGER, 
	version INTEGER, 
	"before" JSON NOT NULL, 
	"after" JSON NOT NULL, 
	CONSTRAINT pk_audit PRIMARY KEY (id), 
	CONSTRAINT fk_audit_account_id FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "audit" VALUES(1,1,'2026-11-23 02:10:41.015615','mission-control','sample','','create account','sample',NULL,NULL,NULL,'{}','{"name": "Sample Customer"}');
INSERT INTO "audit" VALUES(2,1,'2026-11-23 02:10:41.015615','mission-control','sample','','add domain','sample.example',NULL,NULL,NULL,'{}','{"bought": false}');
INSERT INTO "audit" VALUES(3,1,'2026-11-23 02:10:41.015615','mission-control','sample','','subscription created','Domain Names: Registration',NULL,NULL,NULL,'{}','{"quantity": 1}');
INSERT INTO "audit" VALUES(4,1,'2026-11-23 02:10:41.015615','mission-control','sample','','add domain','fails-once.example',NULL,NULL,NULL,'{}','{"bought": true, "term months": 12}');
INSERT INTO "audit" VALUES(5,1,'2026-11-23 02:10:41.015615','mission-control','sample','','provision domain-registration','fails-once.example Domain Registration',NULL,1,NULL,'{}','{"level": "registered"}');
INSERT INTO "audit" VALUES(6,1,'2026-11-23 02:10:41.015615','mission-control','sample','','buy email','1',NULL,NULL,NULL,'{}','{"label": "Email: Standard Mail (POPX), 1 month", "quantity": 5, "total": "AUD 16.50", "state": "complete"}');
INSERT INTO "audit" VALUES(7,1,'2026-11-23 02:10:41.015615','mission-control','sample','','subscription created','Email: Standard Mail (POPX)',NULL,NULL,NULL,'{}','{"quantity": 5}');
INSERT INTO "audit" VALUES(8,1,'2026-11-23 02:10:41.015615','mission-control','sample','','buy email','2',NULL,NULL,NULL,'{}','{"label": "Email: Managed Exchange - PC & Web Access, 1 year", "quantity": 10, "total": "AUD 1,089.00", "state": "complete"}');
INSERT INTO "audit" VALUES(9,1,'2026-11-23 02:10:41.015615','mission-control','sample','','subscription created','Email: Managed Exchange - PC & Web Access',NULL,NULL,NULL,'{}','{"quantity": 10}');
INSERT INTO "audit" VALUES(10,1,'2026-11-23 02:10:41.015615','mission-control','sample','','buy email','3',NULL,NULL,NULL,'{}','{"label": "Email: Managed Exchange - PC, Web & Mobile Access, 1 year", "quantity": 3, "total": "AUD 435.60", "state": "complete"}');
INSERT INTO "audit" VALUES(11,1,'2026-11-23 02:10:41.015615','mission-control','sample','','subscription created','Email: Managed Exchange - PC, Web & Mobile Access',NULL,NULL,NULL,'{}','{"quantity": 3}');
INSERT INTO "audit" VALUES(12,1,'2026-11-23 02:10:41.015615','mission-control','sample','','buy web-hosting','4',NULL,NULL,NULL,'{}','{"label": "Web Hosting: Starter for sample.example, 1 year", "quantity": 2, "total": "AUD 169.40", "state": "complete"}');
INSERT INTO "audit" VALUES(13,1,'2026-11-23 02:10:41.015615','mission-control','sample','','subscription created','Web Hosting: Starter',NULL,NULL,NULL,'{}','{"quantity": 2}');
INSERT INTO "audit" VALUES(14,1,'2026-11-23 02:10:41.015615','mission-control','sample','','buy databases','5',NULL,NULL,NULL,'{}','{"label": "Databases: Small, 1 month", "quantity": 5, "total": "AUD 27.50", "state": "complete"}');
INSERT INTO "audit" VALUES(15,1,'2026-11-23 02:10:41.015615','mission-control','sample','','subscription created','Databases: Small',NULL,NULL,NULL,'{}','{"quantity": 5}');
INSERT INTO "audit" VALUES(16,1,'2026-11-23 02:10:41.015615','mission-control','sample','','create user','mia.chen@sample.example','bd6d48d5c36643af9e183875d12f5767',NULL,1,'{}','{"upn": "mia.chen@sample.example", "first_names": "Mia", "last_name": "Chen", "display_name": "Mia Chen", "username": "mia.chen", "title": "Managing Director", "department": "Management", "password": "generated"}');
INSERT INTO "audit" VALUES(17,1,'2026-11-23 02:10:41.015615','mission-control','sample','','provision managed-exchange','mia.chen@sample.example Managed Exchange','bd6d48d5c36643af9e183875d12f5767',2,NULL,'{}','{"activesync": true, "aliases": [], "full-access": [], "hide-from-address-list": false, "imap": true, "keep-copy": true, "level": "pc-web-mobile", "mapi": true, "pop": false, "quota": 51200, "send-as": [], "spam-action": "junk", "web": true}');
INSERT INTO "audit" VALUES(18,1,'2026-11-23 02:10:41.015615','mission-control','sample','','provision web-hosting','mia.chen@sample.example Web Hosting (shop)','bd6d48d5c36643af9e183875d12f5767',3,NULL,'{}','{"https": true, "level": "starter", "php": "8.3"}');
INSERT INTO "audit" VALUES(19,1,'2026-11-23 02:10:41.015615','mission-control','sample','','create user','liam.wright@sample.example','c0095e5b5e764edd8ae0779e65e5865c',NULL,1,'{}','{"upn": "liam.wright@sample.example", "first_names": "Liam", "last_name": "Wright", "display_name": "Liam Wright", "username": "liam.wright", "title": "Developer", "department": "Engineering", "password": "generated"}');
INSERT INTO "audit" VALUES(20,1,'2026-11-23 02:10:41.015615','mission-control','sample','','provision managed-exchange','liam.wright@sample.example Managed Exchange','c0095e5b5e764edd8ae0779e65e5865c',4,NULL,'{}','{"aliases": [], "full-access": [], "hide-from-address-list": false, "imap": true, "keep-copy": true, "level": "pc-web", "mapi": true, "pop": false, "quota": 51200, "send-as": [], "spam-action": "junk", "web": true}');
INSERT INTO "audit" VALUES(21,1,'2026-11-23 02:10:41.015615','mission-control','sample','','provision databases','liam.wright@sample.example Databases (orders)','c0095e5b5e764edd8ae0779e65e5865c',5,NULL,'{}','{"level": "small"}');
INSERT INTO "audit" VALUES(22,1,'2026-11-23 02:10:41.015615','mission-control','sample','','provision databases','liam.wright@sample.example Databases (stock)','c0095e5b5e764edd8ae0779e65e5865c',6,NULL,'{}','{"level": "small"}');
INSERT INTO "audit" VALUES(23,1,'2026-11-23 02:10:41.015615','mission-control','sample','','create user','zoe.martin@sample.example','473d0ba4d22343f6b44b9c2858eeba76',NULL,1,'{}','{"upn": "zoe.martin@sample.example", "first_names": "Zoe Anne", "last_name": "Martin", "display_name": "Zoe Anne Martin", "username": "zoe.martin", "title": "Accountant", "department": "Finance", "password": "generated"}');
INSERT INTO "audit" VALUES(24,1,'2026-11-23 02:10:41.015615','mission-control','sample','','provision managed-exchange','zoe.martin@sample.example Managed Exchange','473d0ba4d22343f6b44b9c2858eeba76',7,NULL,'{}','{"aliases": [], "keep-copy": true, "level": "popx", "pop": true, "quota": 5120, "spam-action": "junk", "web": true}');
INSERT INTO "audit" VALUES(25,1,'2026-11-23 02:10:41.015615','mission-control','sample','','create user','noah.patel@sample.example','b1c05239cb744391b91f28dfdb150901',NULL,1,'{}','{"upn": "noah.patel@sample.example", "first_names": "Noah", "last_name": "Patel", "display_name": "Noah Patel", "username": "noah.patel", "title": "Sales", "department": "Sales", "password": "generated"}');
INSERT INTO "audit" VALUES(26,1,'2026-11-23 02:10:41.015615','mission-control','sample','','provision managed-exchange','noah.patel@sample.example Managed Exchange','b1c05239cb744391b91f28dfdb150901',8,NULL,'{}','{"aliases": [], "full-access": [], "hide-from-address-list": false, "imap": true, "keep-copy": true, "level": "pc-web", "mapi": true, "pop": false, "quota": 51200, "send-as": [], "spam-action": "junk", "web": true}');
INSERT INTO "audit" VALUES(27,1,'2026-11-23 02:10:41.015615','mission-control','sample','','create user','fails.once@sample.example','3c07f686223440ee989e3a6c4a969f03',NULL,1,'{}','{"upn": "fails.once@sample.example", "first_names": "Fails", "last_name": "Once", "display_name": "Fails Once", "username": "fails.once", "password": "generated"}');
INSERT INTO "audit" VALUES(28,1,'2026-11-23 02:10:41.015615','mission-control','sample','','provision managed-exchange','fails.once@sample.example Managed Exchange','3c07f686223440ee989e3a6c4a969f03',9,NULL,'{}','{"aliases": [], "full-access": [], "hide-from-address-list": false, "imap": true, "keep-copy": true, "level": "pc-web", "mapi": true, "pop": false, "quota": 51200, "send-as": [], "spam-action": "junk", "web": true}');
INSERT INTO "audit" VALUES(29,1,'2026-11-23 02:10:41.015615','mission-control','sample','','create user','never.works@sample.example','aedfac1c75914a0aa0e397f93b2e030a',NULL,1,'{}','{"upn": "never.works@sample.example", "first_names": "Never", "last_name": "Works", "display_name": "Never Works", "username": "never.works", "password": "generated"}');
INSERT INTO "audit" VALUES(30,1,'2026-11-23 02:10:41.015615','mission-control','sample','','provision managed-exchange','never.works@sample.example Managed Exchange','aedfac1c75914a0aa0e397f93b2e030a',10,NULL,'{}','{"aliases": [], "keep-copy": true, "level": "popx", "pop": true, "quota": 5120, "spam-action": "junk", "web": true}');
INSERT INTO "audit" VALUES(31,1,'2026-11-23 02:10:41.015615','mission-control','sample','','create user','ella.waits@fails-once.example','6bb0020b3bf24659904b2aabdd8bcf73',NULL,1,'{}','{"upn": "ella.waits@fails-once.example", "first_names": "Ella", "last_name": "Waits", "display_name": "Ella Waits", "username": "ella.waits", "password": "generated"}');
INSERT INTO "audit" VALUES(32,1,'2026-11-23 02:10:41.015615','mission-control','sample','','provision managed-exchange','ella.waits@fails-once.example Managed Exchange','6bb0020b3bf24659904b2aabdd8bcf73',11,NULL,'{}','{"aliases": [], "keep-copy": true, "level": "popx", "pop": true, "quota": 5120, "spam-action": "junk", "web": true}');
INSERT INTO "audit" VALUES(33,1,'2026-11-23 02:10:41.015615','mission-control','sample','','create user','ivy.newman@sample.example','65f80325da13415c99c7f138eacfafc3',NULL,1,'{}','{"upn": "ivy.newman@sample.example", "first_names": "Ivy", "last_name": "Newman", "display_name": "Ivy Newman", "username": "ivy.newman", "title": "Trainee", "department": "Sales", "password": "generated"}');
INSERT INTO "audit" VALUES(34,1,'2026-11-23 02:10:41.015615','mission-control','sample','','create user','test.person@sample.example','87dd72d91cfd412484fe992c5958ebf7',NULL,1,'{}','{"upn": "test.person@sample.example", "first_names": "Test", "last_name": "Person", "display_name": "Test Person", "username": "test.person", "test_user": true, "password": "generated"}');
INSERT INTO "audit" VALUES(35,2,'2026-11-23 02:10:42.300283','anna','cli','T-1','create account','acme',NULL,NULL,1,'{}','{"name": "Acme Pty Ltd", "time zone": "UTC"}');
INSERT INTO "audit" VALUES(36,2,'2026-11-23 02:10:42.300283','anna','cli','T-1','add domain','acme.example',NULL,NULL,NULL,'{}','{"bought": false}');
INSERT INTO "audit" VALUES(37,2,'2026-11-23 02:10:42.344999','anna','cli','T-1','set contacts','acme',NULL,NULL,NULL,'{"contacts": []}','{"contacts": [{"role": "primary", "name": "Paula", "email": "", "phone": ""}]}');
INSERT INTO "audit" VALUES(38,2,'2026-11-23 02:10:42.384512','anna','cli','T-1','buy email','6',NULL,NULL,NULL,'{}','{"label": "Email: Standard Mail (POPX), 1 month", "quantity": 5, "total": "AUD 16.50", "state": "complete"}');
INSERT INTO "audit" VALUES(39,2,'2026-11-23 02:10:42.384512','anna','cli','T-1','subscription created','Email: Standard Mail (POPX)',NULL,NULL,NULL,'{}','{"quantity": 5}');
INSERT INTO "audit" VALUES(40,2,'2026-11-23 02:10:42.393921','anna','cli','T-1','buy domain-names','7',NULL,NULL,NULL,'{}','{"label": "Domain Names: Registration for acme.com, 1 year", "quantity": 1, "total": "AUD 19.80", "state": "complete"}');
INSERT INTO "audit" VALUES(41,2,'2026-11-23 02:10:42.393921','anna','cli','T-1','subscription created','Domain Names: Registration',NULL,NULL,NULL,'{}','{"quantity": 1}');
INSERT INTO "audit" VALUES(42,2,'2026-11-23 02:10:42.393921','anna','cli','T-1','add domain','acme.com',NULL,NULL,NULL,'{}','{"bought": true, "term months": 12}');
INSERT INTO "audit" VALUES(43,2,'2026-11-23 02:10:42.393921','anna','cli','T-1','provision domain-registration','acme.com Domain Registration',NULL,12,NULL,'{}','{"level": "registered"}');
INSERT INTO "audit" VALUES(44,2,'2026-11-23 02:10:42.518284','anna','cli','T-1','buy domain-names','8',NULL,NULL,NULL,'{}','{"label": "Domain Names: Registration for acme.com.au, 1 year", "quantity": 1, "total": "AUD 16.50", "state": "awaiting approval", "note": "Nothing here can verify the eligibility type other."}');
INSERT INTO "audit" VALUES(45,2,'2026-11-23 02:10:42.555757','anna','cli','T-1','create user','ada.lovelace@acme.example','85c63772b37d4014be949a9994fd642d',NULL,1,'{}','{"upn": "ada.lovelace@acme.example", "first_names": "Ada", "last_name": "Lovelace", "display_name": "Ada Lovelace", "username": "ada.lovelace", "notes": "Zo\u00eb\nline two", "password": "given"}');
INSERT INTO "audit" VALUES(46,2,'2026-11-23 02:10:42.576999','anna','cli','T-1','add alias','ada.lovelace@acme.example','85c63772b37d4014be949a9994fd642d',13,2,'{"aliases": []}','{"aliases": ["countess@acme.example"]}');
INSERT INTO "audit" VALUES(47,2,'2026-11-23 02:10:42.656936','anna','cli','T-1','create user','gone@acme.example','cc55328c90ce452bb38199ac4a261812',NULL,1,'{}','{"upn": "gone@acme.example", "first_names": "Ada", "last_name": "Lovelace", "display_name": "Ada Lovelace", "username": "gone", "password": "given"}');
INSERT INTO "audit" VALUES(48,2,'2026-11-23 02:10:42.691887','anna','cli','T-1','provision managed-exchange','ada.lovelace@acme.example Managed Exchange','85c63772b37d4014be949a9994fd642d',14,NULL,'{}','{"aliases": [], "keep-copy": true, "level": "popx", "pop": true, "quota": 5120, "spam-action": "junk", "web": true}');
INSERT INTO "audit" VALUES(49,2,'2026-11-23 02:10:42.757336','anna','cli','T-1','provision managed-exchange','gone@acme.example Managed Exchange','cc55328c90ce452bb38199ac4a261812',15,NULL,'{}','{"aliases": [], "keep-copy": true, "level": "popx", "pop": true, "quota": 5120, "spam-action": "junk", "web": true}');
INSERT INTO "audit" VALUES(50,2,'2026-11-23 02:10:42.821667','anna','cli','T-1','deprovision managed-exchange','gone@acme.example Managed Exchange','cc55328c90ce452bb38199ac4a261812',16,NULL,'{"wish": "present", "level": "popx"}','{"wish": "absent"}');
INSERT INTO "audit" VALUES(51,2,'2026-11-23 02:10:42.889846','anna','cli','T-1','delete user','gone@acme.example','cc55328c90ce452bb38199ac4a261812',NULL,2,'{"in_bin": false}','{"in_bin": true}');
INSERT INTO "audit" VALUES(52,2,'2026-11-23 02:10:42.936900','anna','cli','T-1','create user','later@acme.example','c2ae8e0d51e04db7b646992188250b6d',NULL,1,'{}','{"upn": "later@acme.example", "first_names": "Ada", "last_name": "Lovelace", "display_name": "Ada Lovelace", "username": "later", "manager": "ada.lovelace@acme.example", "password": "given"}');
INSERT INTO "audit" VALUES(53,2,'2026-11-23 02:10:42.960656','anna','cli','T-1','provision managed-exchange','later@acme.example Managed Exchange','c2ae8e0d51e04db7b646992188250b6d',17,NULL,'{}','{"aliases": [], "keep-copy": true, "level": "popx", "pop": true, "quota": 5120, "spam-action": "junk", "web": true}');
CREATE TABLE catalogue_versions (
	number INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	document TEXT NOT NULL, 
	source TEXT NOT NULL, 
	loaded_at DATETIME NOT NULL, 
	operator VARCHAR(128) NOT NULL, 
	CONSTRAINT pk_catalogue_versions PRIMARY KEY (number)
);
INSERT INTO "catalogue_versions" VALUES(1,'bbd303a1ca0c20126373351453e798924e0e23716e5ceb86f5c427751219797b','{"format":1,"catalogue":{"currency":"AUD","tax_name":"GST","tax_basis_points":1000,"prices_are_examples":true,"products":[{"id":"domain-names","name":"Domain Names","description":"Register a domain name.","buys":"domain","buy_label":"BUY","level_first":false,"terms":[12,24],"min_quantity":1,"max_quantity":1,"withdrawn":false,"levels":[{"id":"registration","name":"Registration","description":"","group":"","grants_service":"domain-registration","grants_level":"registered","prices":{},"withdrawn":false}],"extensions":[{"id":"com","name":".com","prices":{"12":1800,"24":3500},"withdrawn":false},{"id":"net","name":".net","prices":{"12":1900,"24":3700},"withdrawn":false},{"id":"org","name":".org","prices":{"12":1900,"24":3700},"withdrawn":false},{"id":"com-au","name":".com.au","prices":{"12":1500,"24":2900},"withdrawn":false},{"id":"net-au","name":".net.au","prices":{"12":1500,"24":2900},"withdrawn":false}],"fields":[{"id":"registrant-name","name":"Registrant","type":"text","default":null,"minimum":null,"maximum":100,"choices":{},"unit":"","required":true,"help":"The person or organisation that will hold the name.","page":"Registrant","extensions":[]},{"id":"registrant-email","name":"E-mail","type":"email","default":null,"minimum":null,"maximum":null,"choices":{},"unit":"","required":true,"help":"The registry writes here; use an address outside the new domain.","page":"Registrant","extensions":[]},{"id":"registrant-phone","name":"Phone","type":"text","default":null,"minimum":null,"maximum":40,"choices":{},"unit":"","required":false,"help":"","page":"Registrant","extensions":[]},{"id":"registrant-street","name":"Street","type":"text","default":null,"minimum":null,"maximum":100,"choices":{},"unit":"","required":false,"help":"","page":"Registrant","extensions":[]},{"id":"registrant-city","name":"City","type":"text","default":null,"minimum":null,"maximum":60,"choices":{},"unit":"","required":false,"help":"","page":"Registrant","extensions":[]},{"id":"registrant-state","name":"State","type":"text","default":null,"minimum":null,"maximum":60,"choices":{},"unit":"","required":false,"help":"","page":"Registrant","extensions":[]},{"id":"registrant-postcode","name":"Postal code","type":"text","default":null,"minimum":null,"maximum":20,"choices":{},"unit":"","required":false,"help":"","page":"Registrant","extensions":[]},{"id":"registrant-country","name":"Country","type":"country","default":"AU","minimum":null,"maximum":null,"choices":{},"unit":"","required":true,"help":"","page":"Registrant","extensions":[]},{"id":"eligibility-type","name":"Eligibility type","type":"choice","default":null,"minimum":null,"maximum":null,"choices":{"company":"Company","registered-business":"Registered Business","sole-trader":"Sole Trader","partnership":"Partnership","incorporated-association":"Incorporated Association","trademark-owner":"Trademark Owner","statutory-body":"Commercial Statutory Body","other":"Other"},"unit":"","required":true,"help":"","page":"Eligibility","extensions":["com-au","net-au"]},{"id":"eligibility-name","name":"Registered name","type":"text","default":null,"minimum":null,"maximum":100,"choices":{},"unit":"","required":false,"help":"As the business register has it. Empty when it is the registrant''s.","page":"Eligibility","extensions":["com-au","net-au"]},{"id":"eligibility-number","name":"ABN or ACN","type":"business-number","default":null,"minimum":null,"maximum":null,"choices":{},"unit":"","required":true,"help":"Its check digits are verified.","page":"Eligibility","extensions":["com-au","net-au"]},{"id":"name-servers","name":"Name servers","type":"hosts","default":null,"minimum":null,"maximum":13,"choices":{},"unit":"","required":false,"help":"Empty for the provider''s own.","page":"Name servers","extensions":[]}]},{"id":"email","name":"Email","description":"Mailboxes for your users.","buys":"seats","buy_label":"BUY EMAIL","level_first":true,"terms":[1,12],"min_quantity":1,"max_quantity":1000,"withdrawn":false,"levels":[{"id":"popx","name":"Standard Mail (POPX)","description":"Mail by POP and in the browser.","group":"","grants_service":"managed-exchange","grants_level":"popx","prices":{"1":300,"12":3300},"withdrawn":false},{"id":"pc-web","name":"Managed Exchange - PC & Web Access","description":"Outlook, other mail programs and the browser.","group":"","grants_service":"managed-exchange","grants_level":"pc-web","prices":{"1":900,"12":9900},"withdrawn":false},{"id":"pc-web-mobile","name":"Managed Exchange - PC, Web & Mobile Access","description":"As PC & Web Access, and telephones by ActiveSync.","group":"","grants_service":"managed-exchange","grants_level":"pc-web-mobile","prices":{"1":1200,"12":13200},"withdrawn":false}],"extensions":[],"fields":[]},{"id":"web-hosting","name":"Web Hosting","description":"Space for web sites.","buys":"seats","buy_label":"BUY","level_first":false,"terms":[1,12],"min_quantity":1,"max_quantity":100,"withdrawn":false,"levels":[{"id":"starter","name":"Starter","description":"5 GB of storage, 50 GB of traffic a month.","group":"","grants_service":"web-hosting","grants_level":"starter","prices":{"1":700,"12":7700},"withdrawn":false},{"id":"business","name":"Business","description":"50 GB of storage, 500 GB of traffic a month.","group":"","grants_service":"web-hosting","grants_level":"business","prices":{"1":2200,"12":24200},"withdrawn":false},{"id":"premium","name":"Premium","description":"200 GB of storage, 2000 GB of traffic a month.","group":"","grants_service":"web-hosting","grants_level":"premium","prices":{"1":5500,"12":60500},"withdrawn":false}],"extensions":[],"fields":[{"id":"domain","name":"Domain to attach","type":"domain","default":null,"minimum":null,"maximum":null,"choices":{},"unit":"","required":true,"help":"One of your domains, for the first site.","page":"Domain","extensions":[]}]},{"id":"databases","name":"Databases","description":"Databases with logins of their own.","buys":"seats","buy_label":"BUY","level_first":false,"terms":[1,12],"min_quantity":1,"max_quantity":100,"withdrawn":false,"levels":[{"id":"small","name":"Small","description":"Up to 5 connections at once.","group":"PostgreSQL","grants_service":"databases","grants_level":"small","prices":{"1":500,"12":5500},"withdrawn":false},{"id":"medium","name":"Medium","description":"Up to 20 connections at once.","group":"PostgreSQL","grants_service":"databases","grants_level":"medium","prices":{"1":1500,"12":16500},"withdrawn":false},{"id":"large","name":"Large","description":"Up to 50 connections at once.","group":"PostgreSQL","grants_service":"databases","grants_level":"large","prices":{"1":4000,"12":44000},"withdrawn":false}],"extensions":[],"fields":[]}],"services":[{"id":"domain-registration","name":"Domain Registration","description":"Holds a domain name at the registry.","subject":"domain","connector":"simulator","requires":[],"password":"none","instances":1,"seats":false,"visible":false,"name_limit":253,"name_pattern":"{domain}","levels":[{"id":"registered","name":"Registered","description":"","withdrawn":false,"rank":0,"limits":{}}],"options":[{"id":"auto-renew","name":"Renew automatically","type":"bool","default":true,"minimum":null,"maximum":null,"choices":{},"unit":"","required":false,"help":"","group":"settings","levels":[],"per_level":{}},{"id":"name-servers","name":"Name servers","type":"hosts","default":null,"minimum":null,"maximum":13,"choices":{},"unit":"","required":false,"help":"Empty for the provider''s own.","group":"advanced","levels":[],"per_level":{}}]},{"id":"managed-exchange","name":"Managed Exchange","description":"A mailbox with calendar and contacts.","subject":"user","connector":"simulator","requires":["domain-registration"],"password":"user","instances":1,"seats":true,"visible":true,"name_limit":20,"name_pattern":"{account}_{username}","levels":[{"id":"popx","name":"Standard Mail (POPX)","description":"Mail by POP and in the browser.","withdrawn":false,"rank":0,"limits":{"protocols":["pop","web"]}},{"id":"pc-web","name":"Managed Exchange - PC & Web Access","description":"Outlook, other mail programs and the browser.","withdrawn":false,"rank":1,"limits":{"protocols":["pop","imap","web","mapi"]}},{"id":"pc-web-mobile","name":"Managed Exchange - PC, Web & Mobile Access","description":"As PC & Web Access, and telephones by ActiveSync.","withdrawn":false,"rank":2,"limits":{"protocols":["pop","imap","web","mapi","activesync"]}}],"options":[{"id":"quota","name":"Mailbox quota","type":"int","default":51200,"minimum":100,"maximum":102400,"choices":{},"unit":"MB","required":false,"help":"How large the mailbox may grow.","group":"settings","levels":[],"per_level":{"popx":{"default":5120,"minimum":null,"maximum":10240}}},{"id":"primary-address","name":"Primary address","type":"email","default":null,"minimum":null,"maximum":null,"choices":{},"unit":"","required":false,"help":"What recipients see and reply to. Empty for the UPN.","group":"settings","levels":[],"per_level":{}},{"id":"aliases","name":"Aliases","type":"emails","default":null,"minimum":null,"maximum":100,"choices":{},"unit":"","required":false,"help":"Further addresses that arrive in this mailbox.","group":"settings","levels":[],"per_level":{}},{"id":"forward-to","name":"Forward to","type":"email","default":null,"minimum":null,"maximum":null,"choices":{},"unit":"","required":false,"help":"Where incoming mail is sent on to. Empty for nowhere.","group":"settings","levels":[],"per_level":{}},{"id":"keep-copy","name":"Keep a copy","type":"bool","default":true,"minimum":null,"maximum":null,"choices":{},"unit":"","required":false,"help":"Whether forwarded mail stays in the mailbox too.","group":"settings","levels":[],"per_level":{}},{"id":"hide-from-address-list","name":"Hide from address list","type":"bool","default":null,"minimum":null,"maximum":null,"choices":{},"unit":"","required":false,"help":"","group":"settings","levels":["pc-web","pc-web-mobile"],"per_level":{}},{"id":"send-as","name":"Send-as delegates","type":"users","default":null,"minimum":null,"maximum":100,"choices":{},"unit":"","required":false,"help":"Who may send mail under this mailbox''s name.","group":"advanced","levels":["pc-web","pc-web-mobile"],"per_level":{}},{"id":"full-access","name":"Full-access delegates","type":"users","default":null,"minimum":null,"maximum":100,"choices":{},"unit":"","required":false,"help":"Who may open this mailbox and everything in it.","group":"advanced","levels":["pc-web","pc-web-mobile"],"per_level":{}},{"id":"pop","name":"POP","type":"bool","default":false,"minimum":null,"maximum":null,"choices":{},"unit":"","required":false,"help":"Fetching mail by POP3.","group":"advanced","levels":[],"per_level":{"popx":{"default":true,"minimum":null,"maximum":null}}},{"id":"imap","name":"IMAP","type":"bool","default":true,"minimum":null,"maximum":null,"choices":{},"unit":"","required":false,"help":"","group":"advanced","levels":["pc-web","pc-web-mobile"],"per_level":{}},{"id":"web","name":"OWA / web","type":"bool","default":true,"minimum":null,"maximum":null,"choices":{},"unit":"","required":false,"help":"Reading mail in the browser.","group":"advanced","levels":[],"per_level":{}},{"id":"mapi","name":"MAPI","type":"bool","default":true,"minimum":null,"maximum":null,"choices":{},"unit":"","required":false,"help":"Outlook on a PC.","group":"advanced","levels":["pc-web","pc-web-mobile"],"per_level":{}},{"id":"activesync","name":"ActiveSync","type":"bool","default":true,"minimum":null,"maximum":null,"choices":{},"unit":"","required":false,"help":"Telephones and tablets.","group":"advanced","levels":["pc-web-mobile"],"per_level":{}},{"id":"spam-action","name":"Spam action","type":"choice","default":"junk","minimum":null,"maximum":null,"choices":{"deliver":"Deliver it marked in the subject","junk":"Move it to Junk E-mail","quarantine":"Hold it in quarantine","reject":"Reject it"},"unit":"","required":false,"help":"What becomes of mail that looks like spam.","group":"advanced","levels":[],"per_level":{}}]},{"id":"web-hosting","name":"Web Hosting","description":"A web site with its own login.","subject":"user","connector":"simulator","requires":["domain-registration"],"password":"user","instances":10,"seats":true,"visible":true,"name_limit":32,"name_pattern":"{account}_{username}_{instance}","levels":[{"id":"starter","name":"Starter","description":"One small site.","withdrawn":false,"rank":0,"limits":{"storage_mb":5120,"traffic_gb":50}},{"id":"business","name":"Business","description":"For a company''s site.","withdrawn":false,"rank":1,"limits":{"storage_mb":51200,"traffic_gb":500}},{"id":"premium","name":"Premium","description":"For shops and busy sites.","withdrawn":false,"rank":2,"limits":{"storage_mb":204800,"traffic_gb":2000}}],"options":[{"id":"domain","name":"Domain","type":"domain","default":null,"minimum":null,"maximum":null,"choices":{},"unit":"","required":false,"help":"What the site answers to. Empty for the domain of the user''s UPN.","group":"settings","levels":[],"per_level":{}},{"id":"https","name":"HTTPS","type":"bool","default":true,"minimum":null,"maximum":null,"choices":{},"unit":"","required":false,"help":"With a certificate that renews itself.","group":"settings","levels":[],"per_level":{}},{"id":"php","name":"PHP version","type":"choice","default":"8.3","minimum":null,"maximum":null,"choices":{"none":"No PHP","8.2":"PHP 8.2","8.3":"PHP 8.3","8.4":"PHP 8.4"},"unit":"","required":false,"help":"","group":"advanced","levels":[],"per_level":{}}]},{"id":"databases","name":"Databases","description":"A PostgreSQL database with a login of its own.","subject":"user","connector":"simulator","requires":[],"password":"own","instances":20,"seats":true,"visible":true,"name_limit":63,"name_pattern":"{account}_{username}_{instance}","levels":[{"id":"small","name":"Small","description":"Up to 5 connections at once.","withdrawn":false,"rank":0,"limits":{"connection_limit":5}},{"id":"medium","name":"Medium","description":"Up to 20 connections at once.","withdrawn":false,"rank":1,"limits":{"connection_limit":20}},{"id":"large","name":"Large","description":"Up to 50 connections at once.","withdrawn":false,"rank":2,"limits":{"connection_limit":50}}],"options":[]}]}}','the shipped catalogue','2026-11-23 02:10:41.015615','mission-control');
CREATE TABLE connector_states (
	name VARCHAR(64) NOT NULL, 
	paused BOOLEAN NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	said TEXT NOT NULL, 
	remedy TEXT NOT NULL, 
	since DATETIME NOT NULL, 
	next_check_at FLOAT NOT NULL, 
	CONSTRAINT pk_connector_states PRIMARY KEY (name)
);
INSERT INTO "connector_states" VALUES('simulator',0,'','','','2026-11-23 02:10:43.053580',0.0);
CREATE TABLE contacts (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	role VARCHAR(32) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	email VARCHAR(320) NOT NULL, 
	phone VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_contacts PRIMARY KEY (id), 
	CONSTRAINT fk_contacts_account_id FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "contacts" VALUES(1,2,'primary','Paula','','');
CREATE TABLE domains (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	name VARCHAR(320) NOT NULL, 
	bought BOOLEAN NOT NULL, 
	term_months INTEGER NOT NULL, 
	details JSON NOT NULL, 
	added_at DATETIME NOT NULL, 
	removed_at DATETIME, 
	CONSTRAINT pk_domains PRIMARY KEY (id), 
	CONSTRAINT fk_domains_account_id FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "domains" VALUES(1,1,'sample.example',0,0,'{}','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "domains" VALUES(2,1,'fails-once.example',1,12,'{"product": "domain-names"}','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "domains" VALUES(3,2,'acme.example',0,0,'{}','2026-11-23 02:10:42.300283',NULL);
INSERT INTO "domains" VALUES(4,2,'acme.com',1,12,'{"product": "domain-names", "order": 7, "registrant-name": "Acme Pty Ltd", "registrant-email": "owner@acme.example", "registrant-phone": null, "registrant-street": null, "registrant-city": null, "registrant-state": null, "registrant-postcode": null, "registrant-country": "AU", "name-servers": []}','2026-11-23 02:10:42.393921',NULL);
CREATE TABLE installation (
	id INTEGER NOT NULL, 
	uuid VARCHAR(32) NOT NULL, 
	public_key BLOB NOT NULL, 
	connectors JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_installation PRIMARY KEY (id)
);
INSERT INTO "installation" VALUES(1,'f62b8fd6a6324addb305a9e56b47a662',X'CFC673CF44029684D482267A811965D3D3804122F3405BDC706DEC086F5B1F5F','{}','2026-11-23 02:10:40.950797');
CREATE TABLE order_lines (
	id INTEGER NOT NULL, 
	order_id INTEGER NOT NULL, 
	product_id VARCHAR(64) NOT NULL, 
	level_id VARCHAR(64) NOT NULL, 
	label VARCHAR(200) NOT NULL, 
	quantity INTEGER NOT NULL, 
	term_months INTEGER NOT NULL, 
	unit_minor INTEGER NOT NULL, 
	net_minor INTEGER NOT NULL, 
	tax_minor INTEGER NOT NULL, 
	domain VARCHAR(255) NOT NULL, 
	details JSON NOT NULL, 
	CONSTRAINT pk_order_lines PRIMARY KEY (id), 
	CONSTRAINT fk_order_lines_order_id FOREIGN KEY(order_id) REFERENCES orders (id)
);
INSERT INTO "order_lines" VALUES(1,1,'email','popx','Email: Standard Mail (POPX), 1 month',5,1,300,1500,150,'','{}');
INSERT INTO "order_lines" VALUES(2,2,'email','pc-web','Email: Managed Exchange - PC & Web Access, 1 year',10,12,9900,99000,9900,'','{}');
INSERT INTO "order_lines" VALUES(3,3,'email','pc-web-mobile','Email: Managed Exchange - PC, Web & Mobile Access, 1 year',3,12,13200,39600,3960,'','{}');
INSERT INTO "order_lines" VALUES(4,4,'web-hosting','starter','Web Hosting: Starter for sample.example, 1 year',2,12,7700,15400,1540,'sample.example','{"domain": "sample.example"}');
INSERT INTO "order_lines" VALUES(5,5,'databases','small','Databases: Small, 1 month',5,1,500,2500,250,'','{}');
INSERT INTO "order_lines" VALUES(6,6,'email','popx','Email: Standard Mail (POPX), 1 month',5,1,300,1500,150,'','{}');
INSERT INTO "order_lines" VALUES(7,7,'domain-names','registration','Domain Names: Registration for acme.com, 1 year',1,12,1800,1800,180,'acme.com','{"registrant-name": "Acme Pty Ltd", "registrant-email": "owner@acme.example", "registrant-phone": null, "registrant-street": null, "registrant-city": null, "registrant-state": null, "registrant-postcode": null, "registrant-country": "AU", "name-servers": []}');
INSERT INTO "order_lines" VALUES(8,8,'domain-names','registration','Domain Names: Registration for acme.com.au, 1 year',1,12,1500,1500,150,'acme.com.au','{"registrant-name": "Acme Pty Ltd", "registrant-email": "owner@acme.example", "registrant-phone": null, "registrant-street": null, "registrant-city": null, "registrant-state": null, "registrant-postcode": null, "registrant-country": "AU", "eligibility-type": "other", "eligibility-name": null, "eligibility-number": "51824753556", "name-servers": []}');
CREATE TABLE orders (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	state VARCHAR(32) NOT NULL, 
	operator VARCHAR(128) NOT NULL, 
	ticket VARCHAR(128) NOT NULL, 
	placed_at DATETIME NOT NULL, 
	catalogue_number INTEGER NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	net_minor INTEGER NOT NULL, 
	tax_minor INTEGER NOT NULL, 
	total_minor INTEGER NOT NULL, 
	note TEXT NOT NULL, 
	CONSTRAINT pk_orders PRIMARY KEY (id), 
	CONSTRAINT fk_orders_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_orders_catalogue_number FOREIGN KEY(catalogue_number) REFERENCES catalogue_versions (number)
);
INSERT INTO "orders" VALUES(1,1,'purchase','complete','mission-control','','2026-11-23 02:10:41.015615',1,'AUD',1500,150,1650,'');
INSERT INTO "orders" VALUES(2,1,'purchase','complete','mission-control','','2026-11-23 02:10:41.015615',1,'AUD',99000,9900,108900,'');
INSERT INTO "orders" VALUES(3,1,'purchase','complete','mission-control','','2026-11-23 02:10:41.015615',1,'AUD',39600,3960,43560,'');
INSERT INTO "orders" VALUES(4,1,'purchase','complete','mission-control','','2026-11-23 02:10:41.015615',1,'AUD',15400,1540,16940,'');
INSERT INTO "orders" VALUES(5,1,'purchase','complete','mission-control','','2026-11-23 02:10:41.015615',1,'AUD',2500,250,2750,'');
INSERT INTO "orders" VALUES(6,2,'purchase','complete','anna','T-1','2026-11-23 02:10:42.384512',1,'AUD',1500,150,1650,'');
INSERT INTO "orders" VALUES(7,2,'purchase','complete','anna','T-1','2026-11-23 02:10:42.393921',1,'AUD',1800,180,1980,'');
INSERT INTO "orders" VALUES(8,2,'purchase','awaiting approval','anna','T-1','2026-11-23 02:10:42.518284',1,'AUD',1500,150,1650,'Nothing here can verify the eligibility type other.');
CREATE TABLE request_dependencies (
	request_id INTEGER NOT NULL, 
	depends_on_id INTEGER NOT NULL, 
	CONSTRAINT pk_request_dependencies PRIMARY KEY (request_id, depends_on_id), 
	CONSTRAINT fk_request_dependencies_depends_on_id FOREIGN KEY(depends_on_id) REFERENCES requests (id), 
	CONSTRAINT fk_request_dependencies_request_id FOREIGN KEY(request_id) REFERENCES requests (id)
);
INSERT INTO "request_dependencies" VALUES(11,1);
CREATE TABLE request_events (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	account_id INTEGER NOT NULL, 
	request_id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	attempt INTEGER NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	step VARCHAR(200) NOT NULL, 
	said TEXT NOT NULL, 
	remedy TEXT NOT NULL, 
	duration_ms INTEGER, 
	detail JSON NOT NULL, 
	CONSTRAINT fk_request_events_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_request_events_request_id FOREIGN KEY(request_id) REFERENCES requests (id)
);
INSERT INTO "request_events" VALUES(1,1,1,'2026-11-23 02:10:41.015615',0,'queued','','provision asked for by mission-control','',NULL,'{}');
INSERT INTO "request_events" VALUES(2,1,2,'2026-11-23 02:10:41.015615',0,'queued','','provision asked for by mission-control','',NULL,'{}');
INSERT INTO "request_events" VALUES(3,1,3,'2026-11-23 02:10:41.015615',0,'queued','','provision asked for by mission-control','',NULL,'{}');
INSERT INTO "request_events" VALUES(4,1,4,'2026-11-23 02:10:41.015615',0,'queued','','provision asked for by mission-control','',NULL,'{}');
INSERT INTO "request_events" VALUES(5,1,5,'2026-11-23 02:10:41.015615',0,'queued','','provision asked for by mission-control','',NULL,'{}');
INSERT INTO "request_events" VALUES(6,1,6,'2026-11-23 02:10:41.015615',0,'queued','','provision asked for by mission-control','',NULL,'{}');
INSERT INTO "request_events" VALUES(7,1,7,'2026-11-23 02:10:41.015615',0,'queued','','provision asked for by mission-control','',NULL,'{}');
INSERT INTO "request_events" VALUES(8,1,8,'2026-11-23 02:10:41.015615',0,'queued','','provision asked for by mission-control','',NULL,'{}');
INSERT INTO "request_events" VALUES(9,1,9,'2026-11-23 02:10:41.015615',0,'queued','','provision asked for by mission-control','',NULL,'{}');
INSERT INTO "request_events" VALUES(10,1,10,'2026-11-23 02:10:41.015615',0,'queued','','provision asked for by mission-control','',NULL,'{}');
INSERT INTO "request_events" VALUES(11,1,11,'2026-11-23 02:10:41.015615',0,'queued','','provision asked for by mission-control','',NULL,'{}');
INSERT INTO "request_events" VALUES(12,2,12,'2026-11-23 02:10:42.393921',0,'queued','','provision asked for by anna','',NULL,'{}');
INSERT INTO "request_events" VALUES(13,2,13,'2026-11-23 02:10:42.576999',0,'queued','','edit asked for by anna','',NULL,'{}');
INSERT INTO "request_events" VALUES(14,2,14,'2026-11-23 02:10:42.691887',0,'queued','','provision asked for by anna','',NULL,'{}');
INSERT INTO "request_events" VALUES(15,2,15,'2026-11-23 02:10:42.757336',0,'queued','','provision asked for by anna','',NULL,'{}');
INSERT INTO "request_events" VALUES(16,2,16,'2026-11-23 02:10:42.821667',0,'queued','','deprovision asked for by anna','',NULL,'{}');
INSERT INTO "request_events" VALUES(17,2,17,'2026-11-23 02:10:42.960656',0,'queued','','provision asked for by anna','',NULL,'{}');
CREATE TABLE request_steps (
	id INTEGER NOT NULL, 
	request_id INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	started_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	CONSTRAINT pk_request_steps PRIMARY KEY (id), 
	CONSTRAINT fk_request_steps_request_id FOREIGN KEY(request_id) REFERENCES requests (id), 
	CONSTRAINT uq_request_steps_request_id_attempt_number UNIQUE (request_id, attempt, number)
);
INSERT INTO "request_steps" VALUES(1,1,1,1,'mailbox','done','2026-11-23 02:10:43.053580','2026-11-23 02:10:43.053580');
CREATE TABLE requests (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	account_id INTEGER NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	user_id VARCHAR(32), 
	assignment_id VARCHAR(32), 
	parent_id INTEGER, 
	generation INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	priority INTEGER NOT NULL, 
	operator VARCHAR(128) NOT NULL, 
	ticket VARCHAR(128) NOT NULL, 
	created_at DATETIME NOT NULL, 
	started_at DATETIME, 
	ended_at DATETIME, 
	attempt INTEGER NOT NULL, 
	failures INTEGER NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	next_try_at FLOAT NOT NULL, 
	cancel_requested BOOLEAN NOT NULL, 
	waiting_for VARCHAR(320) NOT NULL, 
	hold VARCHAR(16) NOT NULL, 
	previous JSON NOT NULL, 
	CONSTRAINT fk_requests_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_requests_assignment_id FOREIGN KEY(assignment_id) REFERENCES assignments (id), 
	CONSTRAINT fk_requests_parent_id FOREIGN KEY(parent_id) REFERENCES requests (id), 
	CONSTRAINT fk_requests_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "requests" VALUES(1,1,'provision',NULL,'6c1c6a0951c74e0b85f98d9b813e5361',NULL,1,'succeeded',1,'mission-control','','2026-11-23 02:10:41.015615',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(2,1,'provision','bd6d48d5c36643af9e183875d12f5767','3129defda6984bfda7f715caca50fe72',NULL,1,'succeeded',1,'mission-control','','2026-11-23 02:10:41.015615',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(3,1,'provision','bd6d48d5c36643af9e183875d12f5767','02d832afe6394bd8b247b4ac22a54def',NULL,1,'succeeded',1,'mission-control','','2026-11-23 02:10:41.015615',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(4,1,'provision','c0095e5b5e764edd8ae0779e65e5865c','3432c4d6d46d4718809dd2df420f7586',NULL,1,'succeeded',1,'mission-control','','2026-11-23 02:10:41.015615',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(5,1,'provision','c0095e5b5e764edd8ae0779e65e5865c','5df3c050098d4d17966635aa48d37f07',NULL,1,'succeeded',1,'mission-control','','2026-11-23 02:10:41.015615',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(6,1,'provision','c0095e5b5e764edd8ae0779e65e5865c','d54bd593cbfa443f93aa494eedd62c61',NULL,1,'succeeded',1,'mission-control','','2026-11-23 02:10:41.015615',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(7,1,'provision','473d0ba4d22343f6b44b9c2858eeba76','22b1a73cddc54def8aef40ddb5028d4b',NULL,1,'succeeded',1,'mission-control','','2026-11-23 02:10:41.015615',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(8,1,'provision','b1c05239cb744391b91f28dfdb150901','42d432d0de944f368df083339e0287ed',NULL,1,'succeeded',1,'mission-control','','2026-11-23 02:10:41.015615',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(9,1,'provision','3c07f686223440ee989e3a6c4a969f03','c248822f62ea42858a5ef6e835dc6f26',NULL,1,'succeeded',1,'mission-control','','2026-11-23 02:10:41.015615',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(10,1,'provision','aedfac1c75914a0aa0e397f93b2e030a','cf4b1101754e41679dc943ba70cd161b',NULL,1,'succeeded',1,'mission-control','','2026-11-23 02:10:41.015615',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(11,1,'provision','6bb0020b3bf24659904b2aabdd8bcf73','d3949c04b510479f8f16dee0291bd484',NULL,1,'succeeded',1,'mission-control','','2026-11-23 02:10:41.015615',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(12,2,'provision',NULL,'7fd3b0da77eb431eae366051baf18b4c',NULL,1,'succeeded',1,'anna','T-1','2026-11-23 02:10:42.393921',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(13,2,'edit','85c63772b37d4014be949a9994fd642d',NULL,NULL,0,'succeeded',1,'anna','T-1','2026-11-23 02:10:42.576999','2026-11-23 02:10:42.576999','2026-11-23 02:10:42.576999',0,0,'',0.0,0,'','','{}');
INSERT INTO "requests" VALUES(14,2,'provision','85c63772b37d4014be949a9994fd642d','e53a43f89bdd45b09185c09e889ecf4d',NULL,1,'succeeded',1,'anna','T-1','2026-11-23 02:10:42.691887',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(15,2,'provision','cc55328c90ce452bb38199ac4a261812','ca1183a3970b475a9a3752b21c9ec493',NULL,1,'succeeded',1,'anna','T-1','2026-11-23 02:10:42.757336',NULL,'2026-11-23 02:10:42.794369',0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(16,2,'deprovision','cc55328c90ce452bb38199ac4a261812','ca1183a3970b475a9a3752b21c9ec493',NULL,2,'succeeded',1,'anna','T-1','2026-11-23 02:10:42.821667',NULL,'2026-11-23 02:10:42.854543',0,0,'',0.0,0,'','','{"wish": "present", "level_id": "popx", "settings": {"quota": 5120, "primary-address": null, "aliases": [], "forward-to": null, "keep-copy": true, "pop": true, "web": true, "spam-action": "junk"}, "generation": 1, "light": "green", "word": "Provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
INSERT INTO "requests" VALUES(17,2,'provision','c2ae8e0d51e04db7b646992188250b6d','3753d7019d914499865e67b785186d6b',NULL,1,'queued',1,'anna','T-1','2026-11-23 02:10:42.960656',NULL,NULL,0,0,'',0.0,0,'','','{"wish": "absent", "level_id": "", "settings": {}, "generation": 0, "light": "grey", "word": "Not provisioned", "step": "", "error_kind": "", "error_said": "", "error_remedy": "", "drift": false, "touched": false}');
CREATE TABLE search_terms (
	account_id INTEGER NOT NULL, 
	in_bin BOOLEAN NOT NULL, 
	term VARCHAR(320) NOT NULL, 
	user_id VARCHAR(32) NOT NULL, 
	sort_key VARCHAR(256) NOT NULL, 
	CONSTRAINT pk_search_terms PRIMARY KEY (account_id, in_bin, term, user_id), 
	CONSTRAINT fk_search_terms_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_search_terms_user_id FOREIGN KEY(user_id) REFERENCES users (id)
)
 WITHOUT ROWID

;
INSERT INTO "search_terms" VALUES(1,0,'anne','473d0ba4d22343f6b44b9c2858eeba76','zoe anne martin');
INSERT INTO "search_terms" VALUES(1,0,'chen','bd6d48d5c36643af9e183875d12f5767','mia chen');
INSERT INTO "search_terms" VALUES(1,0,'ella.waits@fails-once.example','6bb0020b3bf24659904b2aabdd8bcf73','ella waits');
INSERT INTO "search_terms" VALUES(1,0,'fails.once@sample.example','3c07f686223440ee989e3a6c4a969f03','fails once');
INSERT INTO "search_terms" VALUES(1,0,'ivy.newman@sample.example','65f80325da13415c99c7f138eacfafc3','ivy newman');
INSERT INTO "search_terms" VALUES(1,0,'liam.wright@sample.example','c0095e5b5e764edd8ae0779e65e5865c','liam wright');
INSERT INTO "search_terms" VALUES(1,0,'martin','473d0ba4d22343f6b44b9c2858eeba76','zoe anne martin');
INSERT INTO "search_terms" VALUES(1,0,'mia.chen@sample.example','bd6d48d5c36643af9e183875d12f5767','mia chen');
INSERT INTO "search_terms" VALUES(1,0,'never.works@sample.example','aedfac1c75914a0aa0e397f93b2e030a','never works');
INSERT INTO "search_terms" VALUES(1,0,'newman','65f80325da13415c99c7f138eacfafc3','ivy newman');
INSERT INTO "search_terms" VALUES(1,0,'noah.patel@sample.example','b1c05239cb744391b91f28dfdb150901','noah patel');
INSERT INTO "search_terms" VALUES(1,0,'once','3c07f686223440ee989e3a6c4a969f03','fails once');
INSERT INTO "search_terms" VALUES(1,0,'patel','b1c05239cb744391b91f28dfdb150901','noah patel');
INSERT INTO "search_terms" VALUES(1,0,'person','87dd72d91cfd412484fe992c5958ebf7','test person');
INSERT INTO "search_terms" VALUES(1,0,'test.person@sample.example','87dd72d91cfd412484fe992c5958ebf7','test person');
INSERT INTO "search_terms" VALUES(1,0,'waits','6bb0020b3bf24659904b2aabdd8bcf73','ella waits');
INSERT INTO "search_terms" VALUES(1,0,'works','aedfac1c75914a0aa0e397f93b2e030a','never works');
INSERT INTO "search_terms" VALUES(1,0,'wright','c0095e5b5e764edd8ae0779e65e5865c','liam wright');
INSERT INTO "search_terms" VALUES(1,0,'zoe.martin@sample.example','473d0ba4d22343f6b44b9c2858eeba76','zoe anne martin');
INSERT INTO "search_terms" VALUES(2,0,'ada','c2ae8e0d51e04db7b646992188250b6d','ada lovelace');
INSERT INTO "search_terms" VALUES(2,0,'ada.lovelace@acme.example','85c63772b37d4014be949a9994fd642d','ada lovelace');
INSERT INTO "search_terms" VALUES(2,0,'countess@acme.example','85c63772b37d4014be949a9994fd642d','ada lovelace');
INSERT INTO "search_terms" VALUES(2,0,'later@acme.example','c2ae8e0d51e04db7b646992188250b6d','ada lovelace');
INSERT INTO "search_terms" VALUES(2,0,'lovelace','85c63772b37d4014be949a9994fd642d','ada lovelace');
INSERT INTO "search_terms" VALUES(2,0,'lovelace','c2ae8e0d51e04db7b646992188250b6d','ada lovelace');
INSERT INTO "search_terms" VALUES(2,1,'ada','cc55328c90ce452bb38199ac4a261812','ada lovelace');
INSERT INTO "search_terms" VALUES(2,1,'gone@acme.example','cc55328c90ce452bb38199ac4a261812','ada lovelace');
INSERT INTO "search_terms" VALUES(2,1,'lovelace','cc55328c90ce452bb38199ac4a261812','ada lovelace');
CREATE TABLE seat_holds (
	id INTEGER NOT NULL, 
	assignment_id VARCHAR(32) NOT NULL, 
	pool_id INTEGER NOT NULL, 
	CONSTRAINT pk_seat_holds PRIMARY KEY (id), 
	CONSTRAINT fk_seat_holds_assignment_id FOREIGN KEY(assignment_id) REFERENCES assignments (id), 
	CONSTRAINT fk_seat_holds_pool_id FOREIGN KEY(pool_id) REFERENCES seat_pools (id), 
	CONSTRAINT uq_seat_holds_assignment_id_pool_id UNIQUE (assignment_id, pool_id)
);
INSERT INTO "seat_holds" VALUES(1,'3129defda6984bfda7f715caca50fe72',3);
INSERT INTO "seat_holds" VALUES(2,'02d832afe6394bd8b247b4ac22a54def',4);
INSERT INTO "seat_holds" VALUES(3,'3432c4d6d46d4718809dd2df420f7586',2);
INSERT INTO "seat_holds" VALUES(4,'5df3c050098d4d17966635aa48d37f07',5);
INSERT INTO "seat_holds" VALUES(5,'d54bd593cbfa443f93aa494eedd62c61',5);
INSERT INTO "seat_holds" VALUES(6,'22b1a73cddc54def8aef40ddb5028d4b',1);
INSERT INTO "seat_holds" VALUES(7,'42d432d0de944f368df083339e0287ed',2);
INSERT INTO "seat_holds" VALUES(8,'c248822f62ea42858a5ef6e835dc6f26',2);
INSERT INTO "seat_holds" VALUES(9,'cf4b1101754e41679dc943ba70cd161b',1);
INSERT INTO "seat_holds" VALUES(10,'d3949c04b510479f8f16dee0291bd484',1);
INSERT INTO "seat_holds" VALUES(11,'e53a43f89bdd45b09185c09e889ecf4d',6);
INSERT INTO "seat_holds" VALUES(12,'ca1183a3970b475a9a3752b21c9ec493',6);
INSERT INTO "seat_holds" VALUES(13,'3753d7019d914499865e67b785186d6b',6);
CREATE TABLE seat_pools (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	service_id VARCHAR(64) NOT NULL, 
	level_id VARCHAR(64) NOT NULL, 
	owned INTEGER NOT NULL, 
	held INTEGER NOT NULL, 
	CONSTRAINT pk_seat_pools PRIMARY KEY (id), 
	CONSTRAINT ck_seat_pools_held_within_owned CHECK (held >= 0 AND held <= owned), 
	CONSTRAINT fk_seat_pools_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT uq_seat_pools_account_id_service_id_level_id UNIQUE (account_id, service_id, level_id)
);
INSERT INTO "seat_pools" VALUES(1,1,'managed-exchange','popx',5,3);
INSERT INTO "seat_pools" VALUES(2,1,'managed-exchange','pc-web',10,3);
INSERT INTO "seat_pools" VALUES(3,1,'managed-exchange','pc-web-mobile',3,1);
INSERT INTO "seat_pools" VALUES(4,1,'web-hosting','starter',2,1);
INSERT INTO "seat_pools" VALUES(5,1,'databases','small',5,2);
INSERT INTO "seat_pools" VALUES(6,2,'managed-exchange','popx',5,3);
CREATE TABLE secrets (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	sealed BLOB, 
	created_at DATETIME NOT NULL, 
	wiped_at DATETIME, 
	CONSTRAINT pk_secrets PRIMARY KEY (id), 
	CONSTRAINT fk_secrets_account_id FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "secrets" VALUES(1,1,X'77443272AEEF3FDA98EB363E6889DB748767FC7E07E868C3CAFB784F0618737FCA03064F7AE4F63F0199F16CC22A20DCA09DBD84F4B632C6F8A2AE9915DAD6771095C0','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "secrets" VALUES(2,1,X'6DF64E5FE9E6EE70DBD4DC0A6F0A8B18E61536F76F430A2D95957EED30D4BC79B3AB9779A2AE67BF33710E6E767DB603400449DC5A4D3C0CBED0579DCB2B553AF25D31','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "secrets" VALUES(3,1,X'52E7AC27B2C82C5AAA31F9CC385EC96B01E3AA3D3DAD5A6A9CFBAD1876197F09D119BB7B0AE422CC02EEEB79CC702C018A6728FEA03184BC3FB9CB568676A5F8BBC63A','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "secrets" VALUES(4,1,X'4A6BF433A3A125F11D39E7D56B503CD6F1E55F99570749D283C72F51B4C5F778C9A2462D5EDE382EF4CE2EEFE127E2B53308F60BCAA62BB2EAFC16200D374C9DDBC4B8','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "secrets" VALUES(5,1,X'B751D874362BF4FD679C8677D8B6F65368DB0C4CDFB134B491F89680ECABCE2675F7884E540A620BE7C3FC6FCD0F54B45E8CA624B52E21532122B3B9285C8EA3D15A70','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "secrets" VALUES(6,1,X'A94B93836EB71CB42081E9290897F254E4AB3F1F65A626E1B001A0FB7A48DF1CFE85E82383BE4A409C2AE4B51E67AD833F89C031A82A2D36410ADEE8A9B8D385089ABE','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "secrets" VALUES(7,1,X'D01D16428E16570B2402314B20555A8F211F8AEA27020931A12E245DB7BA7F352EA44EE6DFE04ADE004BFCDE086316B330582CB92154FB6B43D7A53A6BECBF8D77D825','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "secrets" VALUES(8,1,X'2361259A88981818F68BD61B92AD39680E56CE77EE997633ED4478C7FB28E3754704882B3B7C6F13CEFE467CC281EBE8FEEDFD5140D47A548082744CA0EE28F6AAB466','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "secrets" VALUES(9,1,X'9D364ABA964F528A6F8C192AA0B6B5CABC7AED925E3B36CB90D6AF774C19741A618B22896C0736E6B2E9838B678AA4A6E5285E99C773D62648A08A3A0A77F714028100','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "secrets" VALUES(10,1,X'5D5878D1833F3BB71C06190735DADAE5C10A69BCCC4ECA363DEAAE86796CDD53FAF49DCCD64E77579A559EE1D8A71A38C885E311A84FE3290BCEBC324CA84EB0556C0A','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "secrets" VALUES(11,1,X'C392354E5A382B22AC0CCF9306853B92F9B5C723C06787FB2168D9C2A0E46F3D1E95E657C376C815E31A542F4A6830A4204DAA312B7A769D907D0846EAC4682CBFCE77','2026-11-23 02:10:41.015615',NULL);
INSERT INTO "secrets" VALUES(12,2,X'92498CC71487FB396DBC02607306DF7666E16CD4B63867284FD7E8306A749A25F0300C9DA842E245253E868F9F5D35544A649710F1E3F081FFDCB3E4CCE0','2026-11-23 02:10:42.555757',NULL);
INSERT INTO "secrets" VALUES(13,2,NULL,'2026-11-23 02:10:42.656936','2026-11-23 02:10:42.889846');
INSERT INTO "secrets" VALUES(14,2,X'C0EE928679CDDA5E052ABB3C4817531CDBA9B9C5AB9ED556273ECEB0B557015B60797E0B3BCA5BF350BA76546B635C9800365D8D56731078749B41C48A2A','2026-11-23 02:10:42.936900',NULL);
CREATE TABLE subscriptions (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	product_id VARCHAR(64) NOT NULL, 
	level_id VARCHAR(64) NOT NULL, 
	quantity INTEGER NOT NULL, 
	term_months INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_subscriptions PRIMARY KEY (id), 
	CONSTRAINT ck_subscriptions_quantity_not_negative CHECK (quantity >= 0), 
	CONSTRAINT fk_subscriptions_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT uq_subscriptions_account_id_product_id_level_id UNIQUE (account_id, product_id, level_id)
);
INSERT INTO "subscriptions" VALUES(1,1,'domain-names','registration',1,12,1);
INSERT INTO "subscriptions" VALUES(2,1,'email','popx',5,1,1);
INSERT INTO "subscriptions" VALUES(3,1,'email','pc-web',10,12,1);
INSERT INTO "subscriptions" VALUES(4,1,'email','pc-web-mobile',3,12,1);
INSERT INTO "subscriptions" VALUES(5,1,'web-hosting','starter',2,12,1);
INSERT INTO "subscriptions" VALUES(6,1,'databases','small',5,1,1);
INSERT INTO "subscriptions" VALUES(7,2,'email','popx',5,1,1);
INSERT INTO "subscriptions" VALUES(8,2,'domain-names','registration',1,12,1);
CREATE TABLE users (
	id VARCHAR(32) NOT NULL, 
	account_id INTEGER NOT NULL, 
	upn VARCHAR(320) NOT NULL, 
	display_name VARCHAR(256) NOT NULL, 
	sort_key VARCHAR(256) NOT NULL, 
	username VARCHAR(20) NOT NULL, 
	username_key VARCHAR(20) NOT NULL, 
	details JSON NOT NULL, 
	manager_id VARCHAR(32), 
	test_user BOOLEAN NOT NULL, 
	disabled BOOLEAN NOT NULL, 
	locked BOOLEAN NOT NULL, 
	expires_on DATE, 
	in_bin BOOLEAN NOT NULL, 
	deleted_at DATETIME, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	secret_id INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT fk_users_account_id FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT fk_users_manager_id FOREIGN KEY(manager_id) REFERENCES users (id), 
	CONSTRAINT fk_users_secret_id FOREIGN KEY(secret_id) REFERENCES secrets (id), 
	CONSTRAINT uq_users_account_id_username_key UNIQUE (account_id, username_key)
);
INSERT INTO "users" VALUES('bd6d48d5c36643af9e183875d12f5767',1,'mia.chen@sample.example','Mia Chen','mia chen','mia.chen','mia.chen','{"first_names": "Mia", "last_name": "Chen", "title": "Managing Director", "department": "Management"}',NULL,0,0,0,NULL,0,NULL,'2026-11-23 02:10:41.015615','2026-11-23 02:10:41.015615',1,1);
INSERT INTO "users" VALUES('c0095e5b5e764edd8ae0779e65e5865c',1,'liam.wright@sample.example','Liam Wright','liam wright','liam.wright','liam.wright','{"first_names": "Liam", "last_name": "Wright", "title": "Developer", "department": "Engineering"}',NULL,0,0,0,NULL,0,NULL,'2026-11-23 02:10:41.015615','2026-11-23 02:10:41.015615',2,1);
INSERT INTO "users" VALUES('473d0ba4d22343f6b44b9c2858eeba76',1,'zoe.martin@sample.example','Zoe Anne Martin','zoe anne martin','zoe.martin','zoe.martin','{"first_names": "Zoe Anne", "last_name": "Martin", "title": "Accountant", "department": "Finance"}',NULL,0,0,0,NULL,0,NULL,'2026-11-23 02:10:41.015615','2026-11-23 02:10:41.015615',5,1);
INSERT INTO "users" VALUES('b1c05239cb744391b91f28dfdb150901',1,'noah.patel@sample.example','Noah Patel','noah patel','noah.patel','noah.patel','{"first_names": "Noah", "last_name": "Patel", "title": "Sales", "department": "Sales"}',NULL,0,0,0,NULL,0,NULL,'2026-11-23 02:10:41.015615','2026-11-23 02:10:41.015615',6,1);
INSERT INTO "users" VALUES('3c07f686223440ee989e3a6c4a969f03',1,'fails.once@sample.example','Fails Once','fails once','fails.once','fails.once','{"first_names": "Fails", "last_name": "Once"}',NULL,0,0,0,NULL,0,NULL,'2026-11-23 02:10:41.015615','2026-11-23 02:10:41.015615',7,1);
INSERT INTO "users" VALUES('aedfac1c75914a0aa0e397f93b2e030a',1,'never.works@sample.example','Never Works','never works','never.works','never.works','{"first_names": "Never", "last_name": "Works"}',NULL,0,0,0,NULL,0,NULL,'2026-11-23 02:10:41.015615','2026-11-23 02:10:41.015615',8,1);
INSERT INTO "users" VALUES('6bb0020b3bf24659904b2aabdd8bcf73',1,'ella.waits@fails-once.example','Ella Waits','ella waits','ella.waits','ella.waits','{"first_names": "Ella", "last_name": "Waits"}',NULL,0,0,0,NULL,0,NULL,'2026-11-23 02:10:41.015615','2026-11-23 02:10:41.015615',9,1);
INSERT INTO "users" VALUES('65f80325da13415c99c7f138eacfafc3',1,'ivy.newman@sample.example','Ivy Newman','ivy newman','ivy.newman','ivy.newman','{"first_names": "Ivy", "last_name": "Newman", "title": "Trainee", "department": "Sales"}',NULL,0,0,0,NULL,0,NULL,'2026-11-23 02:10:41.015615','2026-11-23 02:10:41.015615',10,1);
INSERT INTO "users" VALUES('87dd72d91cfd412484fe992c5958ebf7',1,'test.person@sample.example','Test Person','test person','test.person','test.person','{"first_names": "Test", "last_name": "Person"}',NULL,1,0,0,NULL,0,NULL,'2026-11-23 02:10:41.015615','2026-11-23 02:10:41.015615',11,1);
INSERT INTO "users" VALUES('85c63772b37d4014be949a9994fd642d',2,'ada.lovelace@acme.example','Ada Lovelace','ada lovelace','ada.lovelace','ada.lovelace','{"first_names": "Ada", "last_name": "Lovelace", "notes": "Zo\u00eb\nline two"}',NULL,0,0,0,NULL,0,NULL,'2026-11-23 02:10:42.555757','2026-11-23 02:10:42.576999',12,2);
INSERT INTO "users" VALUES('cc55328c90ce452bb38199ac4a261812',2,'gone@acme.example','Ada Lovelace','ada lovelace','gone','gone','{"first_names": "Ada", "last_name": "Lovelace"}',NULL,0,0,0,NULL,1,'2026-11-23 02:10:42.889846','2026-11-23 02:10:42.656936','2026-11-23 02:10:42.889846',NULL,2);
INSERT INTO "users" VALUES('c2ae8e0d51e04db7b646992188250b6d',2,'later@acme.example','Ada Lovelace','ada lovelace','later','later','{"first_names": "Ada", "last_name": "Lovelace"}','85c63772b37d4014be949a9994fd642d',0,0,0,NULL,0,NULL,'2026-11-23 02:10:42.936900','2026-11-23 02:10:42.936900',14,1);
CREATE TABLE workers (
	id VARCHAR(64) NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	pid INTEGER NOT NULL, 
	pid_started FLOAT NOT NULL, 
	app_version VARCHAR(32) NOT NULL, 
	started_at FLOAT NOT NULL, 
	lease_until FLOAT NOT NULL, 
	draining BOOLEAN NOT NULL, 
	ended BOOLEAN NOT NULL, 
	CONSTRAINT pk_workers PRIMARY KEY (id)
);
INSERT INTO "workers" VALUES('w','h',1,0.5,'0.1.0',1.0,2.0,0,0);
CREATE INDEX ix_audit_account_id_id ON audit (account_id, id);
CREATE INDEX ix_audit_user_id_id ON audit (user_id, id);
CREATE INDEX ix_contacts_account_id ON contacts (account_id);
CREATE INDEX ix_domains_account_id ON domains (account_id);
CREATE UNIQUE INDEX uq_domains_name ON domains (name) WHERE removed_at IS NULL;
CREATE INDEX ix_orders_account_id ON orders (account_id);
CREATE INDEX ix_order_lines_order_id ON order_lines (order_id);
CREATE INDEX ix_users_listing ON users (account_id, in_bin, sort_key, id, disabled);
CREATE INDEX ix_users_manager_id ON users (manager_id);
CREATE INDEX ix_addresses_user_id ON addresses (user_id);
CREATE INDEX ix_assignments_domain_id ON assignments (domain_id);
CREATE INDEX ix_assignments_level ON assignments (account_id, service_id, level_id, wish);
CREATE INDEX ix_assignments_light ON assignments (account_id, light, user_id);
CREATE INDEX ix_assignments_user_id ON assignments (user_id);
CREATE INDEX ix_search_terms_user ON search_terms (user_id, term);
CREATE INDEX ix_requests_account_id_id ON requests (account_id, id);
CREATE INDEX ix_requests_assignment_id_state ON requests (assignment_id, state);
CREATE INDEX ix_requests_parent_id ON requests (parent_id);
CREATE INDEX ix_requests_removals ON requests (started_at) WHERE kind = 'deprovision';
CREATE INDEX ix_requests_state ON requests (state, priority, id);
CREATE INDEX ix_requests_user_id ON requests (user_id);
CREATE INDEX ix_seat_holds_pool_id ON seat_holds (pool_id);
CREATE INDEX ix_request_dependencies_depends_on_id ON request_dependencies (depends_on_id);
CREATE INDEX ix_request_events_account_id_id ON request_events (account_id, id);
CREATE INDEX ix_request_events_request_id_id ON request_events (request_id, id);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    WHEN NOT EXISTS (SELECT 1 FROM accounts WHERE id = OLD.account_id AND is_sample)
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('requests',17);
INSERT INTO "sqlite_sequence" VALUES('request_events',17);
COMMIT;
