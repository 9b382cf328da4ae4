CREATE FUNCTION mail_usage_measured() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.measured_at := extract(epoch FROM now())::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER mail_usage_measured BEFORE INSERT OR UPDATE ON mail_usage
    FOR EACH ROW EXECUTE FUNCTION mail_usage_measured();
