"""Reading the files of users that operators hold, without a database."""
