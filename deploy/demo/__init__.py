"""Invented people, departments and enterprises, and the story that shows the main job."""
