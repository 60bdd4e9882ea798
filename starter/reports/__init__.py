"""Reports and returns as people read them: a page, a PDF, a workbook, CSV and JSON, all of the same figures."""
