"""`make bench`: what Kyma costs in CPU, memory and time, paired with nginx in one run. It prints and is no test."""
