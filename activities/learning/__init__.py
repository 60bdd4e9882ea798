"""What all cases say together: actions about causes, and reports that are mailed."""
