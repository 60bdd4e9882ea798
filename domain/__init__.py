"""What the business knows: models, policy packs, deadlines, assessment, findings, sums.

Pure: no input or output, no clock, no Temporal. Everything here can be called from a workflow.
"""
