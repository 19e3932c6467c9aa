"""The jobs: live, video, photos, many videos, enrolment."""
