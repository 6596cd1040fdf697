"""``polyculture init``: a first configuration from what is already there.

Each source of models is one module: ``local`` (servers on this machine, each in its ``dialect``), ``hosted``
(providers whose key is set), ``litellm_file`` (a LiteLLM configuration), ``demo`` (the built-in specialists).
``search`` puts them together, ``document`` writes them as one commented YAML file, ``command`` reports.
"""
