"""What the sentences of a told outage say beyond the short statements of a live record. Pure.

A published row has a time, a kind and a sentence, and nothing else: no step, no label, no path. So its
sentences are read by wider nets than notes in a running incident, one module for each pattern, with
its words beside it. A net is wide only where another row says the other half of it.
"""
