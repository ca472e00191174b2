"""The pages for people. They work without JavaScript, and nothing on them comes from elsewhere."""
