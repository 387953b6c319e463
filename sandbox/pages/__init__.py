"""The sandbox's own pages: what to try, what was really booked, and the mails."""
