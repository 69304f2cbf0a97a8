"""What every process needs and no app owns; imports none of the apps."""
