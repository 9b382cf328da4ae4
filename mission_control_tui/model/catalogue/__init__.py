"""What is sold and provisioned: pure data without a database."""
