"""What users put right, kept by tenant, and told to the models that get similar requests. Off unless turned on."""
