"""What people look at: overlays, figures and reports."""
