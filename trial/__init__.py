"""The trial: Redress is broken on purpose, and an independent checker proves that nothing was lost or doubled.

`points` breaks one life at every place where it can break, `faults` breaks everything at random under hundreds of
complaints that `script` makes up and `driver` plays; `checker` reads what came of it. `parts` are the processes.
"""
