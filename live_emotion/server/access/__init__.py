"""Who may do what: host, origin, token, rate and headers, before any route is asked."""
