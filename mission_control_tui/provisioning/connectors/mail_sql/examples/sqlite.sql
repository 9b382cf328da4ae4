CREATE TRIGGER mail_usage_made AFTER INSERT ON mail_usage BEGIN
    UPDATE mail_usage SET measured_at = CAST(strftime('%s', 'now') AS INTEGER) WHERE name = NEW.name;
END;
CREATE TRIGGER mail_usage_changed AFTER UPDATE OF bytes, messages ON mail_usage BEGIN
    UPDATE mail_usage SET measured_at = CAST(strftime('%s', 'now') AS INTEGER) WHERE name = NEW.name;
END;
