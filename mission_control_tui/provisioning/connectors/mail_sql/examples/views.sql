-- Who may log in by what, and why not. Postfix reads no reasons, so who may not send is not there for it.
CREATE VIEW mail_login AS
SELECT * FROM (
SELECT s.service, o.login, o.name, o.password,
    CASE WHEN o.active = 1 AND (',' || o.protocols || ',') LIKE ('%,' || s.protocol || ',%')
        AND CASE s.protocol WHEN 'pop' THEN coalesce(o.pop, 1) WHEN 'imap' THEN coalesce(o.imap, 1)
            WHEN 'web' THEN coalesce(o.web, 1) ELSE 1 END = 1
        THEN NULL ELSE 'Y' END AS nologin,
    CASE WHEN o.active = 1 THEN 'Protocol not in your mail level' ELSE 'Account suspended' END AS reason
FROM mail_object o CROSS JOIN (
    SELECT 'imap' AS service, 'imap' AS protocol UNION ALL SELECT 'pop3', 'pop'
    UNION ALL SELECT 'web', 'web' UNION ALL SELECT 'smtp', 'smtp'
) s
WHERE o.kind = 'mailbox' AND o.login IS NOT NULL AND o.password IS NOT NULL
) logins WHERE nologin IS NULL OR service <> 'smtp';

-- Full-access delegates log in as MAILBOX*DELEGATE with their own password.
CREATE VIEW mail_delegate AS
SELECT a.address AS mailbox, l.service, l.login, l.password, l.nologin, l.reason
FROM mail_role r
JOIN mail_object o ON o.id = r.object_id AND o.active = 1 AND o.kind <> 'group'
JOIN mail_address a ON a.object_id = o.id
JOIN mail_login l ON l.login = r.address AND l.service <> 'smtp'
WHERE r.role = 'full-access';

-- Where a mailbox lies, by its name and by each of its addresses.
CREATE VIEW mail_home AS
SELECT o.name, a.address, o.home, o.quota_mb,
    CASE WHEN o.active = 1 OR o.receives = 1 THEN 1 ELSE 0 END AS receives
FROM mail_object o LEFT JOIN mail_address a ON a.object_id = o.id
WHERE o.kind <> 'group' AND o.home IS NOT NULL;

CREATE VIEW mail_mailbox AS
SELECT address, name FROM mail_home WHERE receives = 1 AND address IS NOT NULL;

-- One row for each place that mail to an address goes to; Postfix follows them until nothing changes.
CREATE VIEW mail_route AS
SELECT a.address, p.address AS destination
FROM mail_object o
JOIN mail_address a ON a.object_id = o.id
JOIN mail_address p ON p.object_id = o.id AND p.is_primary = 1
WHERE o.kind <> 'group' AND (o.active = 1 OR o.receives = 1)
    AND (a.is_primary = 0 OR o.forward_to = '' OR coalesce(o.keep_copy, 1) = 1)
UNION
SELECT a.address, o.forward_to
FROM mail_object o JOIN mail_address a ON a.object_id = o.id AND a.is_primary = 1
WHERE o.kind <> 'group' AND o.forward_to <> '' AND (o.active = 1 OR o.receives = 1)
UNION
SELECT a.address, r.address
FROM mail_object o
JOIN mail_address a ON a.object_id = o.id
JOIN mail_role r ON r.object_id = o.id AND r.role = 'member'
WHERE o.kind = 'group' AND o.active = 1;

CREATE VIEW mail_domain AS SELECT DISTINCT domain FROM mail_address;

-- Who may send under an address, by the name that Dovecot tells Postfix after a login.
CREATE VIEW mail_sender AS
SELECT a.address, o.name
FROM mail_object o JOIN mail_address a ON a.object_id = o.id
WHERE o.kind = 'mailbox' AND o.active = 1
UNION
SELECT a.address, d.name
FROM mail_role r
JOIN mail_address a ON a.object_id = r.object_id
JOIN mail_object d ON d.login = r.address AND d.active = 1
WHERE r.role = 'send-as';
