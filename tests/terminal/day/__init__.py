"""A helpdesk's day, played in a real terminal: 60 mixed tickets over five accounts with 20,000 users."""
