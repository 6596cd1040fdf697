"""Other people's learners behind our protocol: thin, each with a set-up that its makers recommend.

A peer whose package is not installed is left out, with a note in the results.
"""
